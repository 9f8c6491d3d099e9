"""Several evaluations joined on the same faces and labels: the basis of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fervt.evaluation.averaging import Averaging
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.labels import Vocabulary, expression
from fervt.metrics import Difference, compare_pair, join_rows, to_common_classes


@dataclass(frozen=True, eq=False)
class Joined:
    """K evaluations on the same M rows, with the same truth and the same classes.

    Attributes:
        rows: K, the first is the one that the others are compared with.
        left_out: Classes that not all of them know, by display name.
        longest: Rows of the longest evaluation before they were joined.
    """

    rows: tuple[Rows, ...]
    left_out: tuple[str, ...]
    longest: int


def tell_apart(
    first: SavedEvaluation, second: SavedEvaluation
) -> tuple[SavedEvaluation, SavedEvaluation]:
    """Two evaluations, marked with the start of their files' hashes if their names are equal."""
    if first.title != second.title:
        return first, second
    marks = [each.metrics.checkpoint.sha256[:6] for each in (first, second)]
    if marks[0] == marks[1]:
        marks = ["1", "2"]
    return replace(first, mark=marks[0]), replace(second, mark=marks[1])


def join_evaluations(
    evaluations: Sequence[SavedEvaluation],
    truth: Vocabulary,
    *,
    averaging: Averaging = "none",
    copies: bool = True,
) -> Joined:
    """Joins evaluations by their images, on their common classes.

    Args:
        evaluations: K of them.
        truth: The label set that counts.
        averaging: What each answer is averaged over.
        copies: Keep images that are also in earlier splits.

    Raises:
        DataError: Too few rows match, their labels differ, no class is common to all, or one of
            them wasn't measured with this averaging.
    """
    each = [e.rows(averaging=averaging, copies=copies, truth=truth) for e in evaluations]
    meanings = [[expression(name) for name in rows.classes] for rows in each]
    common = [m for m in meanings[0] if all(m in others for others in meanings)]
    names = tuple(c for c, m in zip(each[0].classes, meanings[0], strict=True) if m in common)
    left_out = {m.name for others in meanings for m in others if m not in common}
    kept = []
    for rows, own in zip(each, meanings, strict=True):
        order = [rows.classes[own.index(m)] for m in common]
        index = np.full(len(rows.classes), -1)
        index[[rows.classes.index(c) for c in order]] = np.arange(len(order))
        labels = index[rows.labels]
        probabilities = rows.probabilities
        if len(common) < len(rows.classes) or tuple(order) != rows.classes:
            probabilities = to_common_classes(probabilities, rows.classes, order)
        kept.append(
            Rows(rows.table, names, probabilities, labels, rows.temperature).select(labels >= 0)
        )
    positions = join_rows([rows.table for rows in kept])
    return Joined(
        tuple(rows.select(at) for rows, at in zip(kept, positions, strict=True)),
        tuple(sorted(left_out)),
        max(map(len, kept)),
    )


def outcomes(old: Rows, new: Rows) -> tuple[int, int, int, int]:
    """Joined rows on which both, only the old one, only the new one, and neither are right."""
    a, b = old.right, new.right
    return int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())


def compare(old: Rows, new: Rows) -> dict[str, Difference]:
    """Differences of two joined sets of rows, new minus old."""
    return compare_pair(old.labels, old.predicted, new.predicted, len(old.classes))
