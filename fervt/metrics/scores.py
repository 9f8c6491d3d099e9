"""The figures of one set of predictions: accuracy, per-class scores, calibration.

Shapes: N rows, C classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from fervt.errors import DataError

CALIBRATION_BINS = 15
_TINY = 1e-12


def softmax(logits: NDArray[Any], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities (N, C) from logits (N, C), divided by `temperature` first."""
    scaled = logits.astype(np.float64) / temperature
    exponent = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (exponent / exponent.sum(axis=1, keepdims=True)).astype(np.float32)


def rescale(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float32]:
    """Applies a temperature to probabilities (N, C), as if their logits were divided by it."""
    return softmax(np.log(np.clip(probabilities, _TINY, 1.0)), temperature)


def negative_log_likelihood(probabilities: NDArray[Any], labels: NDArray[Any]) -> float:
    """Mean of -log p(label) over N rows, in nats."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, _TINY, 1.0)).mean())


def fit_temperature(probabilities: NDArray[Any], labels: NDArray[Any]) -> float:
    """The temperature with the lowest negative log likelihood (Guo et al., 2017).

    Args:
        probabilities: (N, C), before scaling.
        labels: (N,) class indices.
    """

    def loss(log_temperature: float) -> float:
        scaled = rescale(probabilities, float(np.exp(log_temperature)))
        return negative_log_likelihood(scaled, labels)

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy in equal-width bins of confidence.

    Attributes:
        edges: (bins + 1,) from 0 to 1.
        confidence: (bins,) mean confidence, NaN in an empty bin.
        accuracy: (bins,) share of right predictions, NaN in an empty bin.
        count: (bins,) rows.
    """

    edges: NDArray[np.float64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error, 0..1: the mean gap, weighted by the rows of each bin."""
        filled = self.count > 0
        gaps = np.abs(self.confidence[filled] - self.accuracy[filled])
        return float((gaps * self.count[filled]).sum() / self.count.sum())


def reliability(
    probabilities: NDArray[Any], labels: NDArray[Any], bins: int = CALIBRATION_BINS
) -> Reliability:
    """Bins the top class's probability (Guo et al., 2017, section 2)."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    edges = np.linspace(0.0, 1.0, bins + 1)
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            edges,
            np.bincount(index, confidence, bins) / count,
            np.bincount(index, right, bins) / count,
            count,
        )


def accuracy_interval(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share of `count` rows, 0..1."""
    interval = binomtest(right, count).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class ClassScores:
    """How well one class is found.

    Attributes:
        precision: Share of its predictions that are right, 0..1; 0 without a prediction.
        recall: Share of its rows that are found, 0..1; 0 without a row.
        f1: Their harmonic mean, 0..1.
        support: Rows with this label.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """All figures of one set of predictions over C classes.

    Attributes:
        n: Rows.
        accuracy: Share of right predictions, 0..1.
        accuracy_interval_95: Wilson's 95% interval of it.
        macro_precision: Mean over the classes that occur, 0..1, like the next two.
        macro_recall: See above.
        macro_f1: See above.
        per_class: The C classes' own scores, in class order.
        confusion: C rows (label) of C counts (prediction).
        nll: Mean negative log likelihood of the label in nats, before temperature scaling.
        nll_calibrated: After it.
        ece: Expected calibration error, 0..1, before temperature scaling.
        ece_calibrated: After it.
    """

    n: int
    accuracy: float
    accuracy_interval_95: tuple[float, float]
    macro_precision: float
    macro_recall: float
    macro_f1: float
    per_class: dict[str, ClassScores]
    confusion: tuple[tuple[int, ...], ...]
    nll: float
    nll_calibrated: float
    ece: float
    ece_calibrated: float

    @property
    def occurring(self) -> list[str]:
        """The classes that some row is labeled with, from the lowest F1 to the highest."""
        found = [name for name, of_class in self.per_class.items() if of_class.support]
        return sorted(found, key=lambda name: self.per_class[name].f1)

    @property
    def confusion_shares(self) -> NDArray[np.float64]:
        """The confusion matrix (C, C) as shares of each row, 0..1; zeros where a row is empty."""
        counts = np.array(self.confusion)
        return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def score(
    probabilities: NDArray[Any],
    labels: NDArray[Any],
    classes: tuple[str, ...],
    temperature: float = 1.0,
) -> Scores:
    """All figures of one set of predictions.

    Args:
        probabilities: (N, C), before temperature scaling.
        labels: (N,) class indices.
        classes: C labels.
        temperature: The checkpoint's; the calibrated figures use it.

    Raises:
        DataError: There are no rows.
    """
    if not len(labels):
        raise DataError("There are no labeled rows to score.")
    predicted = probabilities.argmax(axis=1)
    index = np.arange(len(classes))
    right = int((predicted == labels).sum())
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=index, zero_division=0
    )
    occurs = support > 0
    scaled = rescale(probabilities, temperature)
    counts = confusion_matrix(labels, predicted, labels=index)
    return Scores(
        n=len(labels),
        accuracy=right / len(labels),
        accuracy_interval_95=accuracy_interval(right, len(labels)),
        macro_precision=float(precision[occurs].mean()),
        macro_recall=float(recall[occurs].mean()),
        macro_f1=float(f1[occurs].mean()),
        per_class={
            label: ClassScores(float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
            for i, label in enumerate(classes)
        },
        confusion=tuple(tuple(row) for row in counts.tolist()),
        nll=negative_log_likelihood(probabilities, labels),
        nll_calibrated=negative_log_likelihood(scaled, labels),
        ece=reliability(probabilities, labels).error,
        ece_calibrated=reliability(scaled, labels).error,
    )
