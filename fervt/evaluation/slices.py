"""Slices of an evaluation by measures of the picture, and the worst of them.

Whoever looks at hundreds of slices finds a bad one by chance. So each slice is tested for being
worse than all other faces (Fisher's exact test, one-sided), the p-values are corrected for all
slices that were tried (Holm), and the intervals of the worst ones hold for all of them at once. A
combination must also be worse than the rest of each of its parts: for a class that is bad
everywhere, only the class is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, fisher_exact

from fervt.evaluation.evidence import Evidence
from fervt.evaluation.measures import MEASURES, Measure
from fervt.evaluation.rows import Rows
from fervt.labels import expression

BINS = 5
_PAIR_BINS = 3
_LEAST = 30
_MOST_ALIKE = 0.5  # rows that two of the worst may share, as a fraction of their union
_LEVEL = 0.05
_NOT_SEARCHED = "confidence"  # by definition, unsure answers are wrong more often


@dataclass(frozen=True, eq=False)
class Slice:
    """Rows with something in common.

    Attributes:
        title: What they have in common.
        rows: (N,) bool, which of the evaluation's rows they are.
        n: How many.
        accuracy: Share of right answers, 0..1.
        low: Lower end of Wilson's interval: 95%, wider if many slices were tried.
        high: Its upper end.
        p_value: Of Fisher's one-sided exact test for being worse than the other rows, corrected; 1
            where none was made.
    """

    title: str
    rows: NDArray[np.bool_]
    n: int
    accuracy: float
    low: float
    high: float
    p_value: float = 1.0

    @property
    def is_clear(self) -> bool:
        """Whether chance doesn't explain its accuracy."""
        return self.p_value < _LEVEL


@dataclass(frozen=True, eq=False)
class Worst:
    """The worst slices.

    Attributes:
        slices: The lowest accuracy first; those that chance explains come last.
        tried: How many were tested.
    """

    slices: tuple[Slice, ...]
    tried: int


def slice_rows(
    name: str, values: NDArray[Any], right: NDArray[np.bool_], bins: int = BINS
) -> list[Slice]:
    """Cuts rows into bins of about equal size, by one measure.

    Args:
        name: Key of `MEASURES`.
        values: (N,); rows with NaN are in no bin.
        right: (N,), whether the answer was right.
        bins: How many; fewer if values repeat.
    """
    return [
        _measured(title, rows, right, 0.05)
        for title, rows in _cut(MEASURES[name], values, bins)
        if rows.any()
    ]


def search_slices(evidence: Evidence, rows: Rows) -> Worst:
    """The worst slices of rows by their labels and their pictures' measures.

    Args:
        evidence: Of the rows' evaluation.
        rows: Those of it that count.
    """
    at = rows.table.index.to_numpy()
    measures = {name: values[at].astype(np.float64) for name, values in evidence.measures.items()}
    names = [expression(label).name for label in rows.classes]
    return worst_slices(measures, rows.labels, names, rows.right)


def worst_slices(
    measures: Mapping[str, NDArray[Any]],
    labels: NDArray[Any],
    names: list[str],
    right: NDArray[np.bool_],
    count: int = 5,
) -> Worst:
    """Searches one and two measures, and measures with labels, for the worst slices.

    Slices that share most rows with a worse one are left out. Confidence isn't searched.

    Args:
        measures: By key of `MEASURES`, (N,).
        labels: (N,) class indices.
        names: Display names of the classes.
        right: (N,).
        count: How many to return at most.
    """
    tried = [
        (title, rows, parts)
        for title, rows, parts in _candidates(measures, labels, names)
        if _LEAST <= int(rows.sum()) <= len(right) - _LEAST
    ]
    if not tried:
        return Worst((), 0)
    # The largest p-value of several tests is that of "worse than each of them" (Berger, 1982).
    worst = [max(_test(rows, part & ~rows, right) for part in parts) for _, rows, parts in tried]
    p_values = holm(np.array(worst))
    level = _LEVEL / len(tried)
    found = [
        _measured(title, rows, right, level, float(p))
        for (title, rows, _), p in zip(tried, p_values, strict=True)
    ]
    found = [
        each
        for each, (_, _, parts) in zip(found, tried, strict=True)
        if all(_is_below(each, part, right) for part in parts)
    ]
    found.sort(key=lambda each: (not each.is_clear, each.accuracy, -each.n))
    kept: list[Slice] = []
    for each in found:
        if len(kept) < count and all(_shared(each, other) <= _MOST_ALIKE for other in kept):
            kept.append(each)
    return Worst(tuple(kept), len(tried))


def holm(p_values: NDArray[np.floating]) -> NDArray[np.float64]:
    """P-values corrected for their number by Holm's method (1979)."""
    order = np.argsort(p_values)
    stepped = p_values[order] * (len(p_values) - np.arange(len(p_values)))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(1, np.maximum.accumulate(stepped))
    return corrected


def _candidates(
    measures: Mapping[str, NDArray[Any]], labels: NDArray[Any], names: list[str]
) -> list[tuple[str, NDArray[np.bool_], list[NDArray[np.bool_]]]]:
    """Slices by title: their rows, and what they must be worse than."""
    every = np.ones(len(labels), bool)
    searched = {name: values for name, values in measures.items() if name != _NOT_SEARCHED}
    single = [cut for name, values in searched.items() for cut in _cut(MEASURES[name], values)]
    coarse = [_cut(MEASURES[name], values, _PAIR_BINS) for name, values in searched.items()]
    classes = [(f"labeled {name}", labels == index) for index, name in enumerate(names)]
    pairs = [
        (f"{a}; {b}", first & second, [every, first, second])
        for one, two in combinations([classes, *coarse], 2)
        for a, first in one
        for b, second in two
    ]
    return [*((title, rows, [every]) for title, rows in [*single, *classes]), *pairs]


def _cut(
    about: Measure, values: NDArray[Any], bins: int = BINS
) -> list[tuple[str, NDArray[np.bool_]]]:
    known = np.isfinite(values)
    if not known.any():
        return []
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, bins + 1)))
    if len(edges) < 2:
        return []
    at = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    found = []
    for index, (low, high) in enumerate(pairwise(edges)):
        word = f"{about.title.lower()} {low:.{about.digits}f} to {high:.{about.digits}f}"
        if index == 0:
            word = f"{about.low} ({word})"
        elif index == len(edges) - 2:
            word = f"{about.high} ({word})"
        found.append((word, known & (at == index)))
    return found


def _measured(
    title: str,
    rows: NDArray[np.bool_],
    right: NDArray[np.bool_],
    level: float,
    p_value: float = 1.0,
) -> Slice:
    n, hits = int(rows.sum()), int(right[rows].sum())
    interval = binomtest(hits, n).proportion_ci(1 - level, method="wilson")
    low, high = float(interval.low), float(interval.high)
    return Slice(title, rows, n, hits / n, low, high, p_value)


def _test(rows: NDArray[np.bool_], others: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    """Fisher's exact test for rows being worse than others; 1 if there are no others."""
    hits, n = int(right[rows].sum()), int(rows.sum())
    rest, count = int(right[others].sum()), int(others.sum())
    return float(fisher_exact([[hits, n - hits], [rest, count - rest]], alternative="less").pvalue)


def _is_below(each: Slice, part: NDArray[np.bool_], right: NDArray[np.bool_]) -> bool:
    rest = part & ~each.rows
    return bool(rest.any()) and each.accuracy < right[rest].mean()


def _shared(one: Slice, other: Slice) -> float:
    return float((one.rows & other.rows).sum() / (one.rows | other.rows).sum())
