"""`fervt evaluate`: a checkpoint and a prepared file to a saved evaluation."""

import argparse
from pathlib import Path

from fervt.checkpoint import find_checkpoint, load_checkpoint
from fervt.cli.progress import progress_bar
from fervt.data.prepared import read_prepared
from fervt.errors import ConfigError
from fervt.evaluation.parts import PartsReport, describe_following, measure_parts
from fervt.evaluation.run import evaluate_checkpoint, with_labels
from fervt.evaluation.words import describe_interval
from fervt.files import file_sha256
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
    parser.add_argument(
        "--parts",
        action="store_true",
        help="also measure what the parts do, into parts.json: 3 to 5 times the evaluation's time",
    )


def run(args: argparse.Namespace) -> int:
    """Evaluates, writes the files and prints the headline."""
    if args.parts and args.neutralize:
        raise ConfigError("--parts measures the whole model; leave out --neutralize.")
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
    if args.parts:
        model, info = load_checkpoint(checkpoint)
        rows, labels, _ = with_labels(info, data, args.labels)
        with progress_bar() as progress:
            parts = measure_parts(
                model, info, file_sha256(checkpoint), args.split, rows.images, labels, progress
            )
        parts.write(args.out)
        print_parts(parts)
    return 0


def print_parts(parts: PartsReport) -> None:
    """Prints what the parts do, a line a change."""
    print(f"What the parts do, {parts.split}, n = {parts.n}: {describe_following(parts)}")
    for item in parts.following:
        print(f"{item.change:>32}: follows {item.follows:.2f}, stays {item.stays:.2f}")
    for change in parts.changes:
        print(
            f"{change.name:>32}: accuracy {change.accuracy:.2%}, {100 * change.difference:+.1f} "
            f"points ({100 * change.low:+.1f} to {100 * change.high:+.1f})"
        )
