"""`fervt evaluate`: a checkpoint and a prepared file to a saved evaluation."""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fervt.amounts import from_to
from fervt.amounts import points as in_points
from fervt.checkpoint import find_checkpoint, read_info
from fervt.cli.progress_bar import progress_bar
from fervt.data.prepared import PreparedData, read_prepared
from fervt.errors import ConfigError, DataError
from fervt.evaluation.corruptions import CORRUPTIONS
from fervt.evaluation.measuring import (
    measure_contributions,
    measure_evidence,
    measure_five_crop,
    measure_robustness,
    require_crops,
)
from fervt.evaluation.parts_report import PartsReport, describe_following, describe_wrong_map
from fervt.evaluation.robustness import (
    SAMPLE,
    Robustness,
    corruption_error,
    curves,
    describe_limits,
    read_robustness,
)
from fervt.evaluation.run import evaluate_checkpoint, with_labels
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.words import describe_interval
from fervt.labels import SPLITS, VOCABULARIES
from fervt.metrics import Scores
from fervt.predict import Predictor

HELP = "evaluate a checkpoint on a prepared file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("--checkpoint", help="name or file; the flagship by default")
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--split", choices=SPLITS, default="PrivateTest")
    parser.add_argument("--out", type=Path, required=True, help="folder for the evaluation")
    parser.add_argument("--labels", choices=tuple(VOCABULARIES), help="default: the checkpoint's")
    parser.add_argument("--neutralize", choices=("gwa", "gnn"), help="switch off a part")
    parser.add_argument(
        "--five-crop",
        action="store_true",
        help="also average over five crops of each face (five_crop.npz); takes five more passes",
    )
    parser.add_argument(
        "--parts",
        action="store_true",
        help="also measure what each part contributes (parts.json); takes 3 to 5 times as long",
    )
    parser.add_argument(
        "--evidence",
        action="store_true",
        help="also store where the model looks on each face (evidence.npz)",
    )
    parser.add_argument(
        "--occlusion",
        action="store_true",
        help="with --evidence: also hide each of the 49 cells; takes 25 times as long",
    )
    parser.add_argument(
        "--corruptions",
        action="store_true",
        help="also measure corrupted faces (robustness.npz); an interrupted run resumes",
    )
    parser.add_argument(
        "--sample",
        type=int,
        metavar="N",
        help=f"with --corruptions: number of faces ({SAMPLE:,} by default); 0 for all",
    )


def run(args: argparse.Namespace) -> int:
    """Evaluates, writes the files and prints the headline."""
    for name in ("five-crop", "parts", "evidence", "corruptions"):
        if getattr(args, name.replace("-", "_")) and args.neutralize:
            raise ConfigError(f"--{name} measures the whole model; leave out --neutralize.")
    if args.occlusion and not args.evidence:
        raise ConfigError("--occlusion needs --evidence.")
    if args.sample is not None and (not args.corruptions or args.sample < 0):
        raise ConfigError("--sample is the number of faces for --corruptions, 0 for all.")
    checkpoint = find_checkpoint(args.checkpoint)
    if args.five_crop:
        require_crops(read_info(checkpoint))
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
    _print_scores("standard", metrics.standard)
    _print_scores("without copies", metrics.without_copies)
    _print_scores("standard, flip TTA", metrics.tta.standard)
    if args.five_crop:
        predictor = Predictor(checkpoint, engine="torch")
        with progress_bar() as progress:
            rows, _, _ = with_labels(predictor.info, data, args.labels)
            measure_five_crop(progress, predictor, rows).write(args.out)
    saved = read_evaluation(args.out)
    if "five-crop" in saved.averagings:  # also where an earlier run measured them
        _print_scores("standard, five-crop", saved.rows(averaging="five-crop").scores)
    if args.parts:
        predictor = Predictor(checkpoint, engine="torch")
        rows, labels, _ = with_labels(predictor.info, data, args.labels)
        with progress_bar() as progress:
            parts = measure_contributions(progress, predictor, rows, labels)
        parts.write(args.out)
        print_parts(parts)
    if args.evidence or args.corruptions:
        _measure_more(args, Predictor(checkpoint), data)
    return 0


def _print_scores(name: str, scores: Scores | None) -> None:
    if scores is not None:
        print(
            f"{name:>20}: accuracy {scores.accuracy:.2%} ({describe_interval(scores)}), "
            f"macro-F1 {scores.macro_f1:.3f}, NLL {scores.nll_calibrated:.3f}, "
            f"ECE {scores.ece_calibrated:.3f}, n = {scores.n}"
        )


def _measure_more(args: argparse.Namespace, predictor: Predictor, data: PreparedData) -> None:
    rows, labels, _ = with_labels(predictor.info, data, args.labels)
    if args.evidence:
        with progress_bar() as progress:
            evidence = measure_evidence(progress, predictor, rows, labels, args.occlusion)
        evidence.write(args.out)
        print(f"Evidence of {len(evidence):,} faces: {', '.join(evidence.maps)}.")
    if args.corruptions:
        sample = SAMPLE if args.sample is None else args.sample or len(rows)
        with progress_bar() as progress:
            found = measure_robustness(
                progress,
                predictor,
                rows,
                labels,
                sample,
                _begun(args.out, predictor, rows),
                lambda found: found.write(args.out),
            )
        print_robustness(found, labels[found.positions])


def _begun(folder: Path, predictor: Predictor, rows: PreparedData) -> Robustness | None:
    """The results of an interrupted run in the folder, if they match this run."""
    classes = len(predictor.classes)
    try:
        return read_robustness(folder, predictor.sha256, rows.sha256.tolist(), classes)
    except DataError:
        return None


def print_robustness(found: Robustness, labels: NDArray[np.int64]) -> None:
    """Prints a line per corruption on where accuracy holds up, and the mean corruption error."""
    for kind, points in curves(found, labels).items():
        print(f"{CORRUPTIONS[kind].title:>16}: {describe_limits(kind, points)}")
    if error := corruption_error(found, labels):
        print(
            f"Mean corruption error {error.mean:.1%}, {100 * error.relative:.1f} points above the "
            f"{error.clean:.1%} on the clean faces (n = {error.n:,})."
        )


def print_parts(parts: PartsReport) -> None:
    """Prints what the parts contribute, one line per change."""
    print(f"What each part does, {parts.split}, n = {parts.n}: {describe_following(parts)}")
    for item in parts.following:
        print(f"{item.change:>32}: follows {item.follows:z.2f}, stays {item.stays:z.2f}")
    for change in parts.changes:
        print(
            f"{change.name:>32}: accuracy {change.accuracy:.2%}, {in_points(change.difference)} "
            f"({from_to(100 * change.low, 100 * change.high)})"
        )
    if disturbed := describe_wrong_map(parts):
        print(disturbed)
