"""Curves over a threshold: one class against the rest, and answering only when sure."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from fervt.errors import DataError


@dataclass(frozen=True, eq=False)
class Curve:
    """One class against all others, over every threshold of its probability.

    Attributes:
        x: (P,), 0..1: false-positive rate, or recall.
        y: (P,), 0..1: true-positive rate, or precision.
        area: Area under the ROC curve, or average precision; 0..1.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float


def roc_curves(probabilities: NDArray[Any], labels: NDArray[Any]) -> list[Curve | None]:
    """One ROC curve per class of (N, C) probabilities; None if a class has no rows, or all."""

    def curve(positive: NDArray[np.bool_], chance: NDArray[Any]) -> Curve:
        x, y, _ = roc_curve(positive, chance)
        return Curve(x, y, float(auc(x, y)))

    return _one_against_rest(probabilities, labels, curve)


def precision_recall_curves(
    probabilities: NDArray[Any], labels: NDArray[Any]
) -> list[Curve | None]:
    """One precision-recall curve per class; None if a class has no rows, or all."""

    def curve(positive: NDArray[np.bool_], chance: NDArray[Any]) -> Curve:
        precision, recall, _ = precision_recall_curve(positive, chance, drop_intermediate=True)
        return Curve(recall, precision, float(average_precision_score(positive, chance)))

    return _one_against_rest(probabilities, labels, curve)


def _one_against_rest(
    probabilities: NDArray[Any], labels: NDArray[Any], curve: Any
) -> list[Curve | None]:
    found: list[Curve | None] = []
    for index in range(probabilities.shape[1]):
        positive = labels == index
        both = bool(positive.any() and not positive.all())
        found.append(curve(positive, probabilities[:, index]) if both else None)
    return found


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """What happens if the model only answers when its confidence reaches a threshold.

    Attributes:
        threshold: (P,) the distinct confidences, descending.
        coverage: (P,) share of rows answered at that threshold, ascending to 1.
        risk: (P,) share of wrong answers among them.
        area: Mean risk over all rows taken from the surest down (AURC; Geifman and El-Yaniv, 2017),
            rows of equal confidence counted together.
    """

    threshold: NDArray[np.float64]
    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    area: float

    def at(self, threshold: float) -> tuple[float, float | None]:
        """Coverage and risk at a threshold; no risk if nothing is answered."""
        answered = int(np.searchsorted(-self.threshold, -threshold, side="right"))
        if not answered:
            return 0.0, None
        return float(self.coverage[answered - 1]), float(self.risk[answered - 1])


def risk_coverage(probabilities: NDArray[Any], labels: NDArray[Any]) -> RiskCoverage:
    """Risk against coverage of (N, C) probabilities.

    Raises:
        DataError: There are no rows.
    """
    if not len(labels):
        raise DataError("There are no labeled rows to score.")
    confidence = probabilities.max(axis=1).astype(np.float64)
    wrong = (probabilities.argmax(axis=1) != labels).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    confidence, errors = confidence[order], np.cumsum(wrong[order])
    last = np.flatnonzero(np.append(np.diff(confidence) < 0, True))  # of each run of equals
    answered = last + 1
    risk = errors[last] / answered
    area = float((risk * np.diff(answered, prepend=0)).sum() / len(labels))
    return RiskCoverage(confidence[last], answered / len(labels), risk, area)
