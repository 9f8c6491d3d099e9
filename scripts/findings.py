"""Prints what docs/results.md quotes of a checkpoint's saved evaluations.

    python -m scripts.findings [--checkpoint NAME] [--evaluations DIR]

Each line backs a sentence or a row of that page.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from fervt.amounts import from_to, with_range
from fervt.amounts import points as in_points
from fervt.checkpoint import find_checkpoint
from fervt.cli.ending import run_to_end
from fervt.evaluation import atlas
from fervt.evaluation.certainty import UNMEASURED, threshold_in
from fervt.evaluation.corruptions import CORRUPTIONS
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.groups import ANY, LEAST, WRONG, Group, opposite_groups
from fervt.evaluation.parts_report import changes_table
from fervt.evaluation.robustness import Robustness, corruption_error, curves, labels_of_sample
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.slices import Slice, search_slices, slice_rows
from fervt.evaluation.store import EvaluationStore
from fervt.evaluation.words import describe_interval
from fervt.labels import expression
from fervt.metrics.comparison import compare_pair
from fervt.regions import REGIONS

_EVERY = 7  # rank correlations are over every seventh face
_MATTERS = 0.05  # a cell matters if hiding it costs this much of the answer's probability
_FEAR = {"fear", "fearful"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", help="name; the flagship by default")
    parser.add_argument("--evaluations", type=Path, help="folder of evaluations; the shipped ones")
    args = parser.parse_args()
    name = args.checkpoint or find_checkpoint().stem
    store = EvaluationStore(args.evaluations) if args.evaluations else EvaluationStore()
    private = store.find(name, "PrivateTest")
    public = store.find(name, "PublicTest") if "PublicTest" in store.folders(name) else None
    for evaluation in (private, public):
        if evaluation is not None:
            print_lines(evaluation.split, scores(evaluation))
    threshold = public and threshold_in(public)
    threshold = UNMEASURED if threshold is None else threshold
    print_lines("unsure", unsure(private.rows(), threshold))
    evidence, robustness = private.evidence(), private.robustness()
    if evidence is not None:
        print_lines("where it looks", looks(evidence, private.rows()))
        print_lines("slices", slices(evidence, private.rows()))
    if robustness is not None:
        print_lines("robustness", corrupted(robustness, private.rows()))
    return 0


def print_lines(title: str, lines: Iterator[str]) -> None:
    found = [f"- {line}" for line in lines]
    if found:
        print("\n".join([f"## {title}", *found]))


def scores(evaluation: SavedEvaluation) -> Iterator[str]:
    """Accuracy, its classes, what averaging over views changes, and what each part contributes."""
    rows = evaluation.rows()
    yield _score("standard", rows)
    yield _score("without copies", evaluation.rows(copies=False))
    recalls = [
        f"{expression(label).name} {found.recall:.0%}"
        for label, found in rows.scores.per_class.items()
        if found.support
    ]
    yield f"right of each label: {', '.join(recalls)}"
    for averaging in evaluation.averagings[1:]:
        other = evaluation.rows(averaging=averaging)
        pair = compare_pair(rows.labels, rows.predicted, other.predicted, len(rows.classes))
        change = pair["accuracy"]
        shown = with_range(100 * change.value, 100 * change.low, 100 * change.high)
        yield f"{_score(averaging, other)}; {shown} points"
    parts = evaluation.parts()
    if parts is not None:
        if parts.template_share is not None:
            yield f"the mean map explains {parts.template_share:.0%} of GWA's variance"
        yield from (
            f"{f.change}: follows {f.follows:.2f}, stays {f.stays:.2f}" for f in parts.following
        )
        yield from (
            f"{name}: {accuracy}, {change}" for name, accuracy, change in changes_table(parts)
        )


def _score(name: str, rows: Rows) -> str:
    found = rows.scores
    return (
        f"{name}: {found.accuracy:.1%} ({describe_interval(found)}), "
        f"macro-F1 {found.macro_f1:.3f}, log loss {found.nll_calibrated:.3f} (n = {len(rows):,})"
    )


def unsure(rows: Rows, threshold: float) -> Iterator[str]:
    """How often it is unsure, and right then."""
    leading = np.argsort(-rows.calibrated, axis=1, kind="stable")[:, :2]
    below = rows.calibrated.max(axis=1) < threshold
    named = (leading == rows.labels[:, None]).any(axis=1)
    if below.any() and not below.all():
        yield (
            f"below {threshold:.0%}: {below.mean():.1%}, right {rows.right[below].mean():.1%}, "
            f"label among the two named {named[below].mean():.1%}, "
            f"right when sure {rows.right[~below].mean():.1%}"
        )


def looks(evidence: Evidence, rows: Rows) -> Iterator[str]:
    """The maps' regions by label (GWA) or answer (the others), and of one class's mistakes."""
    every = rows.table.index.to_numpy()
    for source in evidence.maps:
        maps = atlas.maps_of(evidence, source, every)
        yield f"{source}: mean map explains {atlas.summarize_maps(maps).template_share:.0%}"
        if source == "gwa":
            means = [maps[rows.labels == i].mean(axis=0) for i in range(len(rows.classes))]
            apart = max(float(np.abs(mean - maps.mean(axis=0)).max()) for mean in means)
            yield f"gwa: the labels' mean maps differ from it by up to {apart:.2f}"
        by, which = ("label", rows.labels) if source == "gwa" else ("answer", rows.predicted)
        for index, label in enumerate(rows.classes):
            chosen = which == index
            if chosen.sum() >= LEAST:
                name = f"{source}, {by} {expression(label).name} ({chosen.sum()})"
                yield f"{name}: {_regions(maps[chosen], 100 if source == 'occlusion' else 1)}"
    if "grad_cam" in evidence.maps:
        maps = atlas.maps_of(evidence, "grad_cam", every)
        for label in _FEAR.intersection(rows.classes):
            yield from _mistakes(maps, *opposite_groups(rows, label, WRONG))
            yield from _mistakes(maps, *opposite_groups(rows, ANY, label))
    if "occlusion" in evidence.maps:
        yield from _occlusion(evidence, every)


def _regions(maps: NDArray[np.floating], scale: int) -> str:
    means = scale * atlas.summarize_regions(maps).value
    return ", ".join(f"{name} {mean:.1f}" for name, mean in zip(REGIONS, means, strict=True))


def _mistakes(maps: NDArray[np.floating], right: Group, wrong: Group) -> Iterator[str]:
    if min(len(right), len(wrong)) < LEAST:
        return
    difference = atlas.compare_regions(maps[wrong.rows], maps[right.rows])
    said = atlas.describe_clear_regions(
        difference, "× average", f"{len(wrong)} {wrong.title}", f"{len(right)} {right.title}"
    )
    yield f"grad_cam: {said}"
    for group in (right, wrong):
        yield f"grad_cam, {group.title}: {_regions(maps[group.rows], 1)}"


def _occlusion(evidence: Evidence, every: NDArray[np.int64]) -> Iterator[str]:
    drops = atlas.maps_of(evidence, "occlusion", every)
    most = drops.max(axis=1)
    yield (
        f"occlusion: the cell that matters most costs {100 * np.median(most):.0f} points (median); "
        f"on {(most < _MATTERS).mean():.0%} of the faces none costs {100 * _MATTERS:.0f}"
    )
    for source in ("gwa", "grad_cam"):
        if source in evidence.maps:
            others = atlas.maps_of(evidence, source, every[::_EVERY])
            pairs = zip(drops[::_EVERY], others, strict=True)
            ranks = [spearmanr(*pair).statistic for pair in pairs]
            yield f"occlusion: rank correlation with {source} {np.nanmean(ranks):.2f}"


def slices(evidence: Evidence, rows: Rows) -> Iterator[str]:
    """Accuracy by each measure of the picture, and the worst slices."""
    every = rows.table.index.to_numpy()
    for name, values in evidence.measures.items():
        found = slice_rows(name, values[every].astype(np.float64), rows.right)
        yield "; ".join(_slice(each) for each in found)
    worst = search_slices(evidence, rows)
    for each in worst.slices:
        yield f"worst of {worst.tried}: {_slice(each)}{'' if each.is_clear else ', not clear'}"


def _slice(found: Slice) -> str:
    interval = f"{found.low:.0%} to {found.high:.0%}"
    return f"{found.title}: {found.accuracy:.0%} ({interval}, n = {found.n:,})"


def corrupted(found: Robustness, rows: Rows) -> Iterator[str]:
    """The loss of accuracy by kind and strength."""
    labels = labels_of_sample(found, rows)
    error = corruption_error(found, labels)
    if error is not None:
        yield f"mean corruption error {error.mean:.1%}, clean {error.clean:.1%} (n = {error.n:,})"
    for kind, points in curves(found, labels).items():
        for point in points[1:]:
            interval = from_to(-100 * point.loss_high, -100 * point.loss_low)
            by_gwa = "" if np.isnan(point.evidence) else f", GWA correlates at {point.evidence:.2f}"
            yield (
                f"{CORRUPTIONS[kind].describe(point.level)}: {point.accuracy:.0%}, "
                f"{in_points(-point.loss)} ({interval}){by_gwa}"
            )


if __name__ == "__main__":
    sys.exit(run_to_end("findings", main))
