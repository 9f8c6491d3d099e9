"""`fervt evaluate`: a checkpoint and a prepared file to a saved evaluation."""

import argparse
from pathlib import Path

from tqdm import tqdm

from fervt.checkpoint import find_checkpoint
from fervt.data.prepared import read_prepared
from fervt.evaluation.run import evaluate_checkpoint
from fervt.labels import SPLITS, VOCABULARIES

HELP = "evaluate a checkpoint on a prepared file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("--checkpoint", help="name or file; the flagship by default")
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--split", choices=SPLITS, default="PrivateTest")
    parser.add_argument("--out", type=Path, required=True, help="folder for the evaluation")
    parser.add_argument("--labels", choices=tuple(VOCABULARIES), help="default: the checkpoint's")
    parser.add_argument("--neutralise", choices=("gwa", "gnn"), help="switch a part off")


def run(args: argparse.Namespace) -> int:
    """Evaluates, writes the files and prints the headline."""
    checkpoint = find_checkpoint(args.checkpoint)
    data = read_prepared(args.data, (args.split,))
    with tqdm(total=len(data), unit="face", desc=args.split) as bar:
        metrics = evaluate_checkpoint(
            checkpoint,
            data,
            args.out,
            labels=args.labels,
            neutralise=args.neutralise,
            progress=lambda done, _: bar.update(done - bar.n),
        )
    for name, figures in (
        ("standard", metrics["standard"]),
        ("without copies", metrics["without_copies"]),
        ("standard, flip TTA", metrics["tta"]["standard"]),
    ):
        if figures is None:
            continue
        low, high = figures["accuracy_interval_95"]
        print(
            f"{name:>20}: accuracy {100 * figures['accuracy']:.2f}% "
            f"({100 * low:.1f} to {100 * high:.1f}), macro-F1 {figures['macro_f1']:.3f}, "
            f"NLL {figures['nll_calibrated']:.3f}, ECE {figures['ece_calibrated']:.3f}, "
            f"n = {figures['n']}"
        )
    return 0
