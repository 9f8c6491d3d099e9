"""`fervt report`: a saved evaluation as one self-contained HTML file, or as slides."""

import argparse
from pathlib import Path

from fervt.checkpoint import find_checkpoint, read_info, shipped_checkpoints
from fervt.cli.outputs import refuse_overwriting
from fervt.data.prepared import read_prepared
from fervt.errors import ConfigError, DataError
from fervt.evaluation.store import EvaluationStore
from fervt.files import write_aside
from fervt.labels import SPLITS
from fervt.reports.deck import build_deck
from fervt.reports.evaluation import build_report
from fervt.reports.slides import write_slides

HELP = "write a saved evaluation as one HTML file, or as slides"
_SLIDES = ".pptx"
_SPLIT = "PrivateTest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    about = "name of a shipped checkpoint, or a folder that `fervt evaluate` wrote"
    parser.add_argument("--checkpoint", help=f"{about}; the flagship by default")
    parser.add_argument("--against", help=f"compare with: {about}")
    parser.add_argument("--split", choices=SPLITS, help=f"{_SPLIT} by default")
    parser.add_argument("--data", type=Path, help="prepared file, to include example faces")
    parser.add_argument(
        "--out", type=Path, required=True, help="FILE.html, or FILE.pptx for slides"
    )


def run(args: argparse.Namespace) -> int:
    """Writes the report."""
    name = find_checkpoint().stem if args.checkpoint is None else args.checkpoint
    store = EvaluationStore()
    evaluation = store.find(name, args.split or _SPLIT)
    if args.split not in (None, evaluation.split):
        raise ConfigError(f"'{name}' is an evaluation on {evaluation.split}, not {args.split}.")
    as_slides = args.out.suffix.lower() == _SLIDES
    if as_slides and args.data:
        raise ConfigError("Slides show no example faces: leave out --data.")
    against = store.find(args.against, evaluation.split) if args.against else None
    split = evaluation.split
    refuse_overwriting("--out", args.out, filter(None, (args.data,)))
    data = read_prepared(args.data, (split,)).split(split) if args.data else None
    shipped = shipped_checkpoints()
    info = read_info(shipped[name]) if name in shipped else None
    if as_slides:
        title = f"{evaluation.title} on {split}"
        content = write_slides(title, build_deck(evaluation, against=against))
    else:
        content = build_report(evaluation, info=info, against=against, data=data).encode()
    try:
        with write_aside(args.out) as aside:
            aside.write_bytes(content)
    except OSError as error:
        raise DataError(f"'{args.out}' cannot be written: {error.strerror}.") from error
    print(f"{args.out}: {evaluation.title} on {split}, {len(content) / 1e6:.1f} MB")
    return 0
