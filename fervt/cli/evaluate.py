"""`fervt evaluate`: a checkpoint and a prepared file to a saved evaluation."""

import argparse
from pathlib import Path

from fervt.checkpoint import find_checkpoint
from fervt.cli.progress import progress_bar
from fervt.data.prepared import read_prepared
from fervt.evaluation.run import evaluate_checkpoint
from fervt.evaluation.words import describe_interval
from fervt.labels import SPLITS, VOCABULARIES

HELP = "evaluate a checkpoint on a prepared file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("--checkpoint", help="name or file; the flagship by default")
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--split", choices=SPLITS, default="PrivateTest")
    parser.add_argument("--out", type=Path, required=True, help="folder for the evaluation")
    parser.add_argument("--labels", choices=tuple(VOCABULARIES), help="default: the checkpoint's")
    parser.add_argument("--neutralize", choices=("gwa", "gnn"), help="switch a part off")


def run(args: argparse.Namespace) -> int:
    """Evaluates, writes the files and prints the headline."""
    checkpoint = find_checkpoint(args.checkpoint)
    data = read_prepared(args.data, (args.split,))
    with progress_bar() as progress:
        metrics = evaluate_checkpoint(
            checkpoint,
            data,
            args.out,
            labels=args.labels,
            neutralize=args.neutralize,
            progress=progress,
        )
    for name, scores in (
        ("standard", metrics.standard),
        ("without copies", metrics.without_copies),
        ("standard, flip TTA", metrics.tta.standard),
    ):
        if scores is None:
            continue
        print(
            f"{name:>20}: accuracy {scores.accuracy:.2%} ({describe_interval(scores)}), "
            f"macro-F1 {scores.macro_f1:.3f}, NLL {scores.nll_calibrated:.3f}, "
            f"ECE {scores.ece_calibrated:.3f}, n = {scores.n}"
        )
    return 0
