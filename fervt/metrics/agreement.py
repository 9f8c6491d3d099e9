"""Who agrees with whom: models with each other, and with the people who labeled the faces."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PEOPLE_SIDE_WITH_LABEL, PEOPLE_SIDE_WITH_MODEL, PEOPLE_DIFFER = range(3)


def prediction_agreement(predicted: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Shares (K, K) of rows on which two of K models give the same answer, 0..1."""
    return np.array([[float((a == b).mean()) for b in predicted] for a in predicted])


def people_on_errors(
    predicted: NDArray[Any], labels: NDArray[Any], majority: NDArray[Any]
) -> NDArray[np.int64]:
    """Whom the annotators' majority sides with, for each wrong answer.

    Args:
        predicted: (N,) class indices.
        labels: (N,) class indices, the truth that the model is measured on.
        majority: (N,) class indices of a later majority of annotators; -1 where there is none.

    Returns:
        (N,): `PEOPLE_SIDE_WITH_LABEL`, `PEOPLE_SIDE_WITH_MODEL` or `PEOPLE_DIFFER` (they chose a
        third expression, or found no majority); -1 where the answer is right.
    """
    sides = np.full(len(labels), PEOPLE_DIFFER)
    sides[majority == labels] = PEOPLE_SIDE_WITH_LABEL
    sides[(majority == predicted) & (majority >= 0)] = PEOPLE_SIDE_WITH_MODEL
    sides[predicted == labels] = -1
    return sides


def vote_shares(votes: NDArray[Any]) -> NDArray[np.float64]:
    """Votes (N, V) as shares of each row's votes; zeros if there are none."""
    return votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)
