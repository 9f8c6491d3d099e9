"""Where a model looks on many faces: mean maps, their spread, and differences between groups.

Single heat maps are anecdotes. A mean over a group shows what is common to it, its spread how
much single faces vary, and a difference is shown only with its interval. Intervals are
Student's and Welch's, made wider for the number of cells (Bonferroni), so that all 49 hold at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from fervt.amounts import with_range
from fervt.errors import DataError
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.groups import FEWEST_TO_JUDGE, SAME_FOR_ALL
from fervt.explain.evidence import SOURCES, Source
from fervt.grid import GRID
from fervt.regions import REGIONS

LEVEL = 0.95
_BLOCK = 2048
_WORTH_SAYING = 0.005  # of a difference between regions: less is rounded to nothing

ATLAS_SOURCES: dict[str, Source] = {
    **SOURCES,
    "grad_cam": replace(
        SOURCES["grad_cam"],
        unit="× average",
        meaning="How much a cell of the backbone's last map pushes the answer's logit up, as a "
        "multiple of the face's average cell.",
        neutral=1.0,
    ),
    "occlusion": replace(
        SOURCES["occlusion"],
        meaning="How much the answer's probability falls when the cell is hidden; below 0 it "
        "rises.",
    ),
}
"""What the sources mean in an atlas: always for the predicted class."""


def maps_of(evidence: Evidence, source: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """One source's maps (n, 49) of some rows, as an atlas averages them.

    Grad-CAM grows with the logit, so confident faces would outweigh the others: each face's map is
    divided by its mean (an empty map stays 0).

    Args:
        evidence: Of an evaluation.
        source: A key of its maps.
        rows: (n,) positions.
    """
    maps = evidence.maps[source][rows].astype(np.float32)
    if source == "grad_cam":
        mean = maps.mean(axis=1, keepdims=True)
        maps = np.divide(maps, mean, out=np.zeros_like(maps), where=mean > 0)
    return maps


@dataclass(frozen=True, eq=False)
class MapSummary:
    """A source of evidence over a group of n faces.

    Attributes:
        n: Faces.
        mean: (7, 7), mean over the faces.
        spread: (7, 7), standard deviation over the faces.
        template_share: Share of the maps' variance (over cells and faces, about the grand mean)
            that the mean map explains, 0..1: at 1 everybody has the same map.
    """

    n: int
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    template_share: float

    @property
    def is_template(self) -> bool:
        """Whether the map is nearly the same for everybody; never said of fewer than 20 faces."""
        return self.n >= FEWEST_TO_JUDGE and self.template_share > SAME_FOR_ALL


@dataclass(frozen=True, eq=False)
class Interval:
    """Values with intervals of one shape that hold all at once, at 95%.

    Attributes:
        value: Any shape.
        low: The same.
        high: The same.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def is_clear(self) -> NDArray[np.bool_]:
        """Where the interval excludes 0."""
        return (self.low > 0) | (self.high < 0)


def summarize_maps(maps: NDArray[Any]) -> MapSummary:
    """Mean, spread and similarity of maps (n, 49).

    Raises:
        DataError: There are fewer than two.
    """
    _check(len(maps))
    values = maps.astype(np.float32)
    mean, variance = _moments(values)
    grand = mean.mean()
    between = float(((mean - grand) ** 2).mean())
    total = between + float(variance.mean()) * (len(maps) - 1) / len(maps)
    return MapSummary(
        len(maps),
        mean.reshape(GRID, GRID),
        np.sqrt(variance).reshape(GRID, GRID),
        between / total if total > 0 else 1.0,
    )


def compare_maps(maps: NDArray[Any], others: NDArray[Any]) -> Interval:
    """Mean of maps (n, 49) minus that of others (m, 49), as (7, 7) with Welch's intervals.

    Raises:
        DataError: A group has fewer than two.
    """
    found = welch(*_group(maps), *_group(others))
    shape = GRID, GRID
    return Interval(*(values.reshape(shape) for values in (found.value, found.low, found.high)))


def compare_paired(maps: NDArray[Any], others: NDArray[Any]) -> Interval:
    """Maps (n, 49) minus others (n, 49) of the same faces, (7, 7) with Student's intervals.

    Raises:
        DataError: There are fewer than two.
    """
    _check(len(maps))
    mean, variance = _moments(maps.astype(np.float32) - others.astype(np.float32))
    found = student_interval(mean, variance, len(maps), len(mean))
    shape = GRID, GRID
    return Interval(*(values.reshape(shape) for values in (found.value, found.low, found.high)))


def summarize_regions(maps: NDArray[Any]) -> Interval:
    """Mean of each region's cells over (n, 49) maps, in the order of `REGIONS`.

    Raises:
        DataError: There are fewer than two.
    """
    _check(len(maps))
    mean, variance = _moments(by_region(maps))
    return student_interval(mean, variance, len(maps), len(mean))


def compare_regions(maps: NDArray[Any], others: NDArray[Any]) -> Interval:
    """The difference of two groups' regions, with Welch's intervals.

    Raises:
        DataError: A group has fewer than two.
    """
    return welch(*_group(by_region(maps)), *_group(by_region(others)))


def compare_paired_regions(maps: NDArray[Any], others: NDArray[Any]) -> Interval:
    """The difference of the regions of the same faces, with Student's intervals.

    Raises:
        DataError: There are fewer than two.
    """
    return summarize_regions(maps.astype(np.float32) - others.astype(np.float32))


def by_region(maps: NDArray[Any]) -> NDArray[np.float32]:
    """Maps (n, 49) as the mean of each region's cells (n, regions)."""
    share = np.zeros((GRID * GRID, len(REGIONS)), np.float32)
    for column, cells in enumerate(REGIONS.values()):
        for row, at in cells:
            share[GRID * row + at, column] = 1 / len(cells)
    return maps.astype(np.float32) @ share


def welch(
    n: int,
    mean: NDArray[Any],
    variance: NDArray[Any],
    m: int,
    other_mean: NDArray[Any],
    other_variance: NDArray[Any],
) -> Interval:
    """The difference of two means with the intervals of Welch's t-test, for all values at once.

    The t distribution's degrees of freedom are Welch and Satterthwaite's. Variances are the
    unbiased ones, and all arrays have one shape.
    """
    own, other = variance / n, other_variance / m
    error = own + other
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = error**2 / (own**2 / (n - 1) + other**2 / (m - 1))
    freedom = np.where(error > 0, freedom, n + m - 2)
    width = student.ppf(1 - (1 - LEVEL) / 2 / mean.size, freedom) * np.sqrt(error)
    value = np.asarray(mean - other_mean, np.float64)
    return Interval(value, value - width, value + width)


def compare_edges(edges: NDArray[Any], others: NDArray[Any]) -> Interval:
    """Mean attention (E,) along edges (n, E) minus that of others (m, E), with Welch's intervals.

    Raises:
        DataError: A group has fewer than two.
    """
    return welch(*_group(edges), *_group(others))


def compare_paired_edges(edges: NDArray[Any], others: NDArray[Any]) -> Interval:
    """Edges (n, E) minus others (n, E) of the same faces, with Student's intervals.

    Raises:
        DataError: There are fewer than two.
    """
    _check(len(edges))
    return student_interval(*_moments(edges - others), len(edges), edges.shape[1])


def describe_template(source: str, summary: MapSummary) -> str:
    """How alike the maps of a group are, in a sentence."""
    if summary.n < FEWEST_TO_JUDGE:
        return (
            f"It takes {FEWEST_TO_JUDGE} faces to say whether the map is the same for everybody; "
            f"there are {summary.n}."
        )
    share = f"{summary.template_share:.0%} of the variance of {source} over cells and faces"
    if summary.is_template:
        return (
            f"The map is nearly the same for everybody: the mean map explains {share}. It says "
            "little about a single face."
        )
    return f"The mean map explains {share}; the rest differs from face to face."


def describe_regions(value: Sequence[float], neutral: float) -> str:
    """The regions that stand out most, in words."""
    order = np.argsort(-(np.asarray(value) - neutral))
    names = list(REGIONS)
    best = [f"{names[i]} ({value[i]:.2f})" for i in order[:2]]
    worst = f"{names[order[-1]]} ({value[order[-1]]:.2f})"
    return f"Most on the {best[0]} and the {best[1]}, least on the {worst}."


def describe_clear_cells(difference: Interval, what: str, other: str) -> str:
    """Which regions contain cells that differ clearly, in a sentence."""
    clear = difference.is_clear
    if not clear.any():
        return f"No cell differs clearly between {what} and {other}."
    parts = []
    for sign, word in ((1, "more"), (-1, "less")):
        cells = clear & (np.sign(difference.value) == sign)
        count = int(cells.sum())
        if count:
            where = [n for n, at in REGIONS.items() if any(cells[cell] for cell in at)]
            parts.append(f"{word} in {count} cell{'s' * (count > 1)} ({', '.join(where)})")
    return f"Clearly different, {what} against {other}: {'; '.join(parts)}."


def describe_clear_regions(difference: Interval, unit: str, what: str, other: str) -> str:
    """The regions that differ clearly, the largest difference first, in a sentence.

    Args:
        difference: As `compare_regions` returns it.
        unit: Of the values.
        what: The group.
        other: The one it is compared with.
    """
    names = list(REGIONS)
    order = np.argsort(-np.abs(difference.value))
    said = [
        f"{names[i]} "
        + with_range(difference.value[i], difference.low[i], difference.high[i], ".2f")
        for i in order
        if difference.is_clear[i] and abs(difference.value[i]) >= _WORTH_SAYING
    ]
    if not said:
        least = f" by {_WORTH_SAYING} or more" if difference.is_clear.any() else ""
        return f"No region differs clearly{least} between {what} and {other}."
    return f"Regions that differ clearly, {what} against {other}, {unit}: {'; '.join(said)}."


def student_interval(
    mean: NDArray[Any], variance: NDArray[Any], n: int, at_once: int = 1
) -> Interval:
    """Student's intervals of means over n faces, at 95% for as many as are read at once.

    Args:
        mean: Any shape.
        variance: The same, of single faces.
        n: Faces.
        at_once: How many intervals must hold together (Bonferroni).
    """
    width = student.ppf(1 - (1 - LEVEL) / 2 / at_once, n - 1) * np.sqrt(variance / n)
    value = np.asarray(mean, np.float64)
    return Interval(value, value - width, value + width)


def _group(values: NDArray[Any]) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    _check(len(values))
    return len(values), *_moments(values.astype(np.float32, copy=False))


def _moments(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and unbiased variances (K,) over (n, K); in blocks that fit the processor's cache."""
    mean = values.mean(axis=0, dtype=np.float64)
    squares = np.zeros_like(mean)
    for start in range(0, len(values), _BLOCK):
        away = values[start : start + _BLOCK] - mean
        squares += np.einsum("nk,nk->k", away, away)
    return mean, squares / (len(values) - 1)


def _check(count: int) -> None:
    if count < 2:
        raise DataError("A mean with an interval needs at least two faces.")
