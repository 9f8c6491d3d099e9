"""Confidence in words, with a threshold that was measured and not chosen.

A checkpoint is called unsure if, among the PublicTest faces on which it was as confident, it
was right less than half of the time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fervt.amounts import percent
from fervt.errors import DataError
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.store import EvaluationStore
from fervt.labels import expression

UNMEASURED = 0.5  # without an evaluation on PublicTest: what perfect calibration would give
SPLIT = "PublicTest"
_BANDS = 20
_FEWEST = 20  # faces in a band that says something


def unsure_below(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """The confidence below which a checkpoint is unsure.

    Args:
        confidence: (N,) calibrated probability of the leading class.
        right: (N,) whether that class was the label.

    Returns:
        The upper end of the last of the successive bands, 0.05 wide, in which fewer than half of
        the faces were right; 0 if there is none. A band with fewer than 20 faces counts together
        with the next.
    """
    bands = _bands(confidence)
    found, first = 0.0, 0
    for band in range(_BANDS):
        inside = (bands >= first) & (bands <= band)
        if inside.sum() < _FEWEST:
            continue
        if right[inside].mean() >= 0.5:
            break
        found, first = (band + 1) / _BANDS, band + 1
    return found


def _bands(confidence: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.minimum(np.floor(np.asarray(confidence) * _BANDS), _BANDS - 1).astype(np.int64)


def find_threshold(sha256: str, store: EvaluationStore | None = None) -> float | None:
    """The threshold of a checkpoint, from its saved evaluation; None without one.

    Args:
        sha256: Of its file: a person's own checkpoint may bear a shipped one's name.
        store: Where its evaluation is; the shipped ones by default.
    """
    try:
        saved = (store or EvaluationStore()).find_file(sha256, SPLIT)
        return None if saved is None else threshold_in(saved)
    except DataError:
        return None


def threshold_in(evaluation: SavedEvaluation) -> float | None:
    """The threshold that an evaluation gives.

    None if its faces are not PublicTest's, a part was off, or no band has enough of them.
    """
    if evaluation.split != SPLIT or evaluation.of_own_images or evaluation.metrics.neutralized:
        return None
    rows = evaluation.rows()
    confidence = rows.calibrated.max(axis=1)
    if np.bincount(_bands(confidence), minlength=1).max() < _FEWEST:
        return None
    return unsure_below(confidence, rows.right)


def measure_threshold(
    sha256: str, store: EvaluationStore | None = None, evaluation: SavedEvaluation | None = None
) -> float:
    """As `find_threshold`, but always a number.

    Args:
        sha256: As there.
        store: As there.
        evaluation: A person's own of this checkpoint, which counts where none is saved. If it
            gives no threshold either, it is `UNMEASURED`.
    """
    found = find_threshold(sha256, store)
    if found is None and evaluation is not None:
        found = threshold_in(evaluation)
    return UNMEASURED if found is None else found


def say_prediction(
    probabilities: ArrayLike, classes: Sequence[str], threshold: float = UNMEASURED
) -> str:
    """The answer in words: "Happy, 94%", or "Unsure: Happy or Neutral" below the threshold.

    Args:
        probabilities: (C,), calibrated.
        classes: Their labels.
        threshold: See `measure_threshold`.
    """
    shares = np.asarray(probabilities, dtype=float)
    first, second = np.argsort(-shares, kind="stable")[:2]
    if shares[first] < threshold:
        return f"Unsure: {expression(classes[first]).name} or {expression(classes[second]).name}"
    return f"{expression(classes[first]).name}, {percent(shares[first])}"
