"""Is the new one better? Several sets of predictions on the same rows.

Shapes: K models, N joined rows, C classes that all know.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from fervt.errors import DataError

LEAST_MATCHED = 0.95
_DRAWS = 2000
_LEVEL = 0.05
_LABELS = ("label_fer2013", "label_ferplus")


def join_rows(tables: Sequence[pd.DataFrame], least_share: float = LEAST_MATCHED) -> NDArray[Any]:
    """Finds the rows that all tables have, by the pixels of their images.

    An image that occurs several times in a split is joined as often as all tables have it with the
    same labels.
    One table may hold far fewer rows, as FER+ keeps only faces that its annotators agree on; but
    nearly all of those must be in the others too, or the tables are of different data.

    Args:
        tables: K tables with `image_sha256`, `label_fer2013` and `label_ferplus`.
        least_share: Share of the shortest table that must be found in all.

    Returns:
        (K, M) int64: positions of the M joined rows in each table, in the first one's order.

    Raises:
        DataError: Too few rows match, or the tables have an image with different labels.
    """
    shortest = min(map(len, tables))
    if not shortest:
        raise DataError("There are no labeled rows to compare.")
    # A label set that one table lacks altogether, such as FER+'s votes, says nothing.
    identity = ["image_sha256"] + [
        name for name in _LABELS if all((table[name] >= 0).any() for table in tables)
    ]
    joined: pd.DataFrame | None = None
    for number, table in enumerate(tables):
        keys = table[identity].reset_index(drop=True)
        keys[f"at_{number}"] = np.arange(len(keys))
        keys["copy"] = keys.groupby(identity).cumcount()
        if joined is None:
            joined = keys
            continue
        had, has = (each["image_sha256"].value_counts() for each in (joined, keys))
        joined = joined.merge(keys, on=[*identity, "copy"])
        kept = joined["image_sha256"].value_counts()
        old, new, both = pd.concat([had, has, kept], axis=1).fillna(0).to_numpy().T
        lost = (both == 0) | ((old == new) & (both < new))
        if (lost & (old > 0) & (new > 0)).any():
            raise DataError("The evaluations give different labels to the same images.")
    assert joined is not None
    if len(joined) < least_share * shortest:
        raise DataError(
            f"Only {len(joined):,} of {shortest:,} rows show the same images "
            f"({len(joined) / shortest:.1%}); a comparison needs {least_share:.0%}."
        )
    joined = joined.sort_values("at_0")
    return joined[[f"at_{number}" for number in range(len(tables))]].to_numpy().T


def to_common_classes(
    probabilities: NDArray[Any], classes: Sequence[str], common: Sequence[str]
) -> NDArray[np.float32]:
    """Keeps the common classes (N, C) in their order, renormalized."""
    kept = probabilities[:, [classes.index(name) for name in common]].astype(np.float64)
    total = kept.sum(axis=1, keepdims=True)
    even = np.full_like(kept, 1 / len(common))
    return np.divide(kept, total, out=even, where=total > 0).astype(np.float32)


@dataclass(frozen=True)
class Difference:
    """How much higher B's figure is than A's.

    Attributes:
        value: B's minus A's.
        low: The lower end of its 95% bootstrap interval.
        high: Its upper end.
        p_value: Of McNemar's exact test; None for figures other than accuracy.
    """

    value: float
    low: float
    high: float
    p_value: float | None = None

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes 0, which it does too easily where few answers differ."""
        excludes_zero = self.low > 0 or self.high < 0
        return excludes_zero and (self.p_value is None or self.p_value < _LEVEL)


@dataclass(frozen=True)
class McNemar:
    """The exact test of whether two models err equally often.

    Attributes:
        fixed: Rows that A got wrong and B right.
        broken: Rows that A got right and B wrong.
        p_value: Chance of a split at least as uneven if both erred equally often.
    """

    fixed: int
    broken: int
    p_value: float


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> McNemar:
    """Compares (N,) right answers of two models on the same rows, by the binomial test."""
    fixed, broken = int((~right_a & right_b).sum()), int((right_a & ~right_b).sum())
    total = fixed + broken
    return McNemar(fixed, broken, float(binomtest(fixed, total).pvalue) if total else 1.0)


def compare_pair(
    labels: NDArray[Any],
    predicted_a: NDArray[Any],
    predicted_b: NDArray[Any],
    class_count: int,
    draws: int = _DRAWS,
    seed: int = 0,
) -> dict[str, Difference]:
    """Differences (B minus A) of accuracy and macro-F1, by the paired bootstrap over rows.

    A row's share in both figures depends on its (label, A's answer, B's answer) alone, so drawing
    N rows with replacement is drawing the counts of these C x C x C kinds of rows: the very same
    distribution, in a time that doesn't grow with N.

    Args:
        labels: (N,) class indices.
        predicted_a: (N,) class indices.
        predicted_b: (N,) class indices.
        class_count: C.
        draws: Bootstrap samples.
        seed: Of the samples.

    Raises:
        DataError: There are no rows.
    """
    confusions = _draw_confusions(labels, predicted_a, predicted_b, class_count, draws, seed)
    accuracy, macro_f1 = (
        _difference(*(figure(confusion) for confusion in confusions))
        for figure in (_accuracy, _macro_f1)
    )
    test = mcnemar(predicted_a == labels, predicted_b == labels)
    return {"accuracy": replace(accuracy, p_value=test.p_value), "macro_f1": macro_f1}


def compare_classes(
    labels: NDArray[Any],
    predicted_a: NDArray[Any],
    predicted_b: NDArray[Any],
    class_count: int,
    draws: int = _DRAWS,
    seed: int = 0,
) -> list[Difference]:
    """Differences (B minus A) of each class's F1, as in `compare_pair`."""
    confusions = _draw_confusions(labels, predicted_a, predicted_b, class_count, draws, seed)
    f1_a, f1_b = (_f1(confusion) for confusion in confusions)
    return [_difference(f1_a[:, c], f1_b[:, c]) for c in range(class_count)]


def _draw_confusions(
    labels: NDArray[Any],
    predicted_a: NDArray[Any],
    predicted_b: NDArray[Any],
    class_count: int,
    draws: int,
    seed: int,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Confusion matrices (1 + draws, C, C) of A and B: the rows' own, then those of each sample."""
    if not len(labels):
        raise DataError("There are no labeled rows to compare.")
    shape = (class_count,) * 3
    kind = np.ravel_multi_index((labels, predicted_a, predicted_b), shape)
    counts = np.bincount(kind, minlength=class_count**3)
    random = np.random.default_rng(seed)
    samples = np.concatenate(
        [counts[None], random.multinomial(len(labels), counts / counts.sum(), size=draws)]
    ).reshape(-1, *shape)
    return samples.sum(axis=3), samples.sum(axis=2)


def _difference(figure_a: NDArray[np.float64], figure_b: NDArray[np.float64]) -> Difference:
    """From a figure (1 + draws,) of A and B, the first one that of the rows themselves."""
    difference = figure_b - figure_a
    low, high = np.quantile(difference[1:], (0.025, 0.975))
    return Difference(float(difference[0]), float(low), float(high))


def _accuracy(confusion: NDArray[Any]) -> NDArray[np.float64]:
    return np.trace(confusion, axis1=1, axis2=2) / confusion.sum(axis=(1, 2))


def _macro_f1(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """Over the classes that occur, as in `score`."""
    occurs = confusion.sum(axis=2) > 0
    return (_f1(confusion) * occurs).sum(axis=1) / occurs.sum(axis=1)


def _f1(confusion: NDArray[Any]) -> NDArray[np.float64]:
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    return 2 * hits / np.maximum(confusion.sum(axis=2) + confusion.sum(axis=1), 1)
