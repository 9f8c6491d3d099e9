"""How much corruption a checkpoint withstands: curves, limits in words, one figure.

`robustness.npz` is beside `predictions.parquet` and has every answer on a sample of its rows,
so curves can be drawn for any label set, and two checkpoints compared on the same faces. It is
written after each condition: an interrupted run continues where it stopped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from fervt.amounts import from_to
from fervt.amounts import points as in_points
from fervt.errors import DataError
from fervt.evaluation.beside import ArraysBeside, hash_rows
from fervt.evaluation.corruptions import CONDITIONS, CORRUPTIONS, STRENGTHS
from fervt.evaluation.rows import Rows
from fervt.metrics import CALIBRATION_BINS, accuracy_interval

FILE = "robustness.npz"
SAMPLE = 1000
HOLDS, BREAKS = 0.05, 0.15
"""Loss of accuracy up to which a checkpoint holds, and from which it breaks, 0..1."""

_MISSING = -1


@dataclass(frozen=True, eq=False)
class Robustness(ArraysBeside):
    """Answers on n rows of an evaluation, uncorrupted and in K = 50 conditions.

    Attributes:
        positions: (n,) int64, which of its rows these are.
        predicted: (1 + K, n) int8; entry 0 is of the faces as they are, then as in `CONDITIONS`.
            -1 if a condition was not measured yet.
        confidence: (1 + K, n) float16, calibrated.
        evidence: (1 + K,) float32, mean correlation of GWA's weights with those of the face as it
            is, -1..1; NaN without GWA.
    """

    FILE: ClassVar[str] = FILE
    VERSION: ClassVar[int] = 1

    positions: NDArray[np.int64]
    predicted: NDArray[np.int8]
    confidence: NDArray[np.float16]
    evidence: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of faces."""
        return len(self.positions)

    @property
    def done(self) -> int:
        """How many of the 1 + K conditions are measured; they are measured in order."""
        return int((self.predicted[:, 0] != _MISSING).sum())

    @property
    def is_whole(self) -> bool:
        """Whether all conditions are measured."""
        return self.done == len(self.predicted)

    @classmethod
    def empty(
        cls, checkpoint_sha256: str, rows_sha256: str, positions: NDArray[np.int64]
    ) -> "Robustness":
        """An empty one, with nothing measured yet."""
        shape = 1 + len(CONDITIONS), len(positions)
        return cls(
            checkpoint_sha256,
            rows_sha256,
            positions,
            np.full(shape, _MISSING, np.int8),
            np.zeros(shape, np.float16),
            np.full(len(CONDITIONS) + 1, np.nan, np.float32),
        )

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays of its file."""
        names = "positions", "predicted", "confidence", "evidence"
        return {name: getattr(self, name) for name in names}


def read_robustness(
    folder: Path, checkpoint_sha256: str, image_sha256: Iterable[str], classes: int
) -> Robustness | None:
    """Reads and checks the file beside predictions; None if there is none.

    Args:
        folder: Of the saved evaluation.
        checkpoint_sha256: Of the checkpoint that made the predictions.
        image_sha256: Of their rows.
        classes: C.

    Raises:
        DataError: It is damaged, or belongs to another checkpoint or other rows.
    """
    digests = list(image_sha256)
    arrays = Robustness.read_arrays(folder, checkpoint_sha256, digests)
    if arrays is None:
        return None
    try:
        names = ("positions", "predicted", "confidence", "evidence")
        positions, predicted, confidence, evidence = (arrays[name] for name in names)
    except KeyError as error:
        raise DataError(f"'{FILE}' is damaged: it lacks {error}.") from error
    shape = 1 + len(CONDITIONS), positions.size
    sound = (
        positions.ndim == 1
        and positions.size > 0
        and all(each.dtype.kind in "iu" for each in (positions, predicted))
        and all(each.dtype.kind == "f" for each in (confidence, evidence))
        and predicted.shape == confidence.shape == shape
        and evidence.shape == shape[:1]
        and positions.min() >= 0
        and positions.max() < len(digests)
        and predicted.min() >= _MISSING
        and predicted.max() < classes
        and len(np.unique(positions)) == len(positions)
        and _in_order(predicted)
        and bool(((confidence >= 0) & (confidence <= 1)).all())  # so none is NaN
        and bool((np.isnan(evidence) | (np.abs(evidence) < 1.01)).all())
    )
    if not sound:
        raise DataError(f"'{FILE}' is damaged.")
    return Robustness(
        checkpoint_sha256,
        hash_rows(digests),
        positions.astype(np.int64, copy=False),
        predicted.astype(np.int8, copy=False),
        confidence.astype(np.float16, copy=False),
        evidence.astype(np.float32, copy=False),
    )


def _in_order(predicted: NDArray[Any]) -> bool:
    """Whether each condition is measured fully or not at all, and none after one that isn't."""
    missing = predicted == _MISSING
    whole = missing.all(axis=1)
    return bool((missing.any(axis=1) == whole).all() and (np.diff(whole.astype(int)) >= 0).all())


def sample_rows(table: pd.DataFrame, size: int) -> NDArray[np.int64]:
    """A fixed sample, stratified by label: the rows of each label with the smallest hashes.

    So nearly the same faces are drawn from another checkpoint's table of the same split.

    Args:
        table: With `label` and `image_sha256`.
        size: Rows; all if there are no more.

    Returns:
        Positions in the table, ascending.
    """
    if size >= len(table):
        return np.arange(len(table))
    labels = table["label"].to_numpy()
    hashes = table["image_sha256"].to_numpy(str)
    values, counts = np.unique(labels, return_counts=True)
    exact = counts * size / len(table)
    shares = np.floor(exact).astype(int)
    shares[np.argsort(-(exact - shares), kind="stable")[: size - shares.sum()]] += 1
    chosen = []
    for value, share in zip(values, shares, strict=True):
        members = np.flatnonzero(labels == value)
        chosen.append(members[np.argsort(hashes[members], kind="stable")[:share]])
    return np.sort(np.concatenate(chosen))


@dataclass(frozen=True)
class Point:
    """One condition's figures.

    Attributes:
        level: 0 for the faces as they are, then 1..5.
        accuracy: 0..1.
        low: Lower end of Wilson's 95% interval.
        high: Its upper end.
        loss: Accuracy of the faces as they are minus this.
        loss_low: Lower end of its paired 95% interval, of Agresti and Min (2005).
        loss_high: Its upper end.
        calibration_error: Expected calibration error, 0..1.
        evidence: See `Robustness.evidence`.
    """

    level: int
    accuracy: float
    low: float
    high: float
    loss: float
    loss_low: float
    loss_high: float
    calibration_error: float
    evidence: float


def labels_of_sample(found: Robustness, rows: Rows) -> NDArray[np.int64]:
    """The truth of the sampled faces, (n,); -1 where they aren't among the rows that count."""
    positions = rows.table.index.to_numpy()
    every = np.full(1 + max(int(found.positions.max()), int(positions.max(initial=0))), _MISSING)
    every[positions] = rows.labels
    return every[found.positions]


def curves(found: Robustness, labels: NDArray[Any]) -> dict[str, list[Point]]:
    """Six points for each kind of corruption that is fully measured.

    Args:
        found: What was measured.
        labels: (n,) the truth for its rows; rows with -1 don't count.

    Raises:
        DataError: No row counts.
    """
    counted = labels >= 0
    if not counted.any():
        raise DataError("None of the sampled faces has such a label.")
    right = found.predicted[:, counted] == labels[counted]
    sure = found.confidence[:, counted].astype(np.float64)
    result = {}
    for number, kind in enumerate(CORRUPTIONS):
        first = 1 + number * STRENGTHS
        if found.done < first + STRENGTHS:
            break
        at = [0, *range(first, first + STRENGTHS)]
        result[kind] = [
            _point(level, right[i], right[0], sure[i], float(found.evidence[i]))
            for level, i in enumerate(at)
        ]
    return result


def _point(
    level: int,
    right: NDArray[np.bool_],
    plain: NDArray[np.bool_],
    sure: NDArray[np.float64],
    evidence: float,
) -> Point:
    n, hits = len(right), int(right.sum())
    low, high = accuracy_interval(hits, n)
    loss, loss_low, loss_high = paired_difference(plain, right)
    error = calibration_error(sure, right)
    return Point(level, hits / n, low, high, loss, loss_low, loss_high, error, evidence)


def paired_difference(
    right: NDArray[np.bool_], other: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """How much more often one is right than the other on the same n faces, with its 95% interval.

    The interval is Wald's after adding half a face to each of the four kinds of pairs (Agresti
    and Min, 2005), which has the right coverage for small samples too.
    """
    n = len(right)
    more, less = int((right & ~other).sum()), int((~right & other).sum())
    more_, less_, n_ = more + 0.5, less + 0.5, n + 2
    center = (more_ - less_) / n_
    error = np.sqrt(more_ + less_ - (more_ - less_) ** 2 / n_) / n_
    width = norm.ppf(0.975) * error
    value = (more - less) / n
    return value, max(-1.0, min(value, center - width)), min(1.0, max(value, center + width))


def calibration_error(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error, 0..1, of confidences (n,), binned as in `metrics`."""
    bins = CALIBRATION_BINS
    at = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(at, sure, bins) - np.bincount(at, right.astype(float), bins)
    return float(np.abs(gap).sum() / len(sure))


@dataclass(frozen=True)
class Limits:
    """How well a checkpoint withstands one kind of corruption.

    Attributes:
        holds: The last level up to which no level loses more than `HOLDS`; 0 for none.
        breaks: The first level that loses `BREAKS` or more; None for none.
    """

    holds: int
    breaks: int | None


def limits(points: list[Point]) -> Limits:
    """Finds the limits in a curve of six points."""
    lost = [point.loss for point in points[1:]]
    holds = next((i for i, loss in enumerate(lost) if loss > HOLDS), len(lost))
    breaks = next((i + 1 for i, loss in enumerate(lost) if loss >= BREAKS), None)
    return Limits(holds, breaks)


def describe_limits(kind: str, points: list[Point]) -> str:
    """How far it holds and where it breaks, in a sentence."""
    about, found = CORRUPTIONS[kind], limits(points)

    def strength(level: int) -> str:
        point = points[level]
        interval = from_to(-100 * point.loss_high, -100 * point.loss_low)
        return f"{about.describe(level)} ({in_points(-point.loss)}, {interval})"

    holds = f"Holds up to {strength(found.holds)}" if found.holds else "Weakens at once"
    if found.breaks is None:
        last = "" if found.holds == STRENGTHS else f", even at {strength(STRENGTHS)}"
        return f"{holds}; doesn't break in the range tried{last}."
    return f"{holds}; breaks at {strength(found.breaks)}."


@dataclass(frozen=True)
class CorruptionError:
    """The one figure for all corruptions.

    Attributes:
        clean: Error on the faces as they are, 0..1.
        mean: Mean error over all kinds and strengths, 0..1.
        n: Faces.
    """

    clean: float
    mean: float
    n: int

    @property
    def relative(self) -> float:
        """How much of the accuracy is lost on average: mean minus clean error, 0..1."""
        return self.mean - self.clean


def corruption_error(found: Robustness, labels: NDArray[Any]) -> CorruptionError | None:
    """The mean corruption error (Hendrycks and Dietterich, 2019), without a reference model.

    None if a condition is missing.

    Raises:
        DataError: No row counts.
    """
    if not found.is_whole:
        return None
    by_kind = curves(found, labels)
    first = next(iter(by_kind.values()))
    errors = [1 - point.accuracy for points in by_kind.values() for point in points[1:]]
    return CorruptionError(1 - first[0].accuracy, float(np.mean(errors)), int((labels >= 0).sum()))
