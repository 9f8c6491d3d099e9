"""Rows of an evaluation with one label set as the truth, and their figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fervt.labels import FERPLUS, Vocabulary, expression
from fervt.metrics import (
    Curve,
    Scores,
    people_on_errors,
    precision_recall_curves,
    rescale,
    roc_curves,
    score,
)


@dataclass(frozen=True, eq=False)
class Rows:
    """N rows of a saved evaluation, measured on one label set.

    Attributes:
        table: The rows, as in the file.
        classes: The C classes in view, in the order of `probabilities`.
        probabilities: (N, C) float32, before temperature scaling.
        labels: (N,) int64, the truth as indices into `classes`.
        temperature: The checkpoint's.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    temperature: float

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.labels)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) the most probable class."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether it is the label."""
        return self.predicted == self.labels

    @cached_property
    def calibrated(self) -> NDArray[np.float32]:
        """(N, C) after the checkpoint's temperature, as all pages show probabilities."""
        return rescale(self.probabilities, self.temperature)

    @cached_property
    def scores(self) -> Scores:
        """Their figures.

        Raises:
            DataError: There are no rows.
        """
        return score(self.probabilities, self.labels, self.classes, self.temperature)

    @cached_property
    def roc(self) -> list[Curve | None]:
        """C curves, see `metrics.roc_curves`."""
        return roc_curves(self.probabilities, self.labels)

    @cached_property
    def precision_recall(self) -> list[Curve | None]:
        """C curves, see `metrics.precision_recall_curves`."""
        return precision_recall_curves(self.probabilities, self.labels)

    @property
    def has_votes(self) -> bool:
        """Whether a majority of annotators is known for any row."""
        return bool((self.table["label_ferplus"] >= 0).any())

    @cached_property
    def people(self) -> NDArray[np.int64]:
        """(N,) whom FER+'s annotators side with in an error, see `metrics.people_on_errors`."""
        majority = translate(self.table["label_ferplus"].to_numpy(), FERPLUS, self.classes)
        return people_on_errors(self.predicted, self.labels, majority)

    def select(self, rows: NDArray[Any]) -> "Rows":
        """The rows of a mask (N,) bool or an index (M,), in that order."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Rows(
            self.table.iloc[index],
            self.classes,
            self.probabilities[index],
            self.labels[index],
            self.temperature,
        )


def translate(labels: NDArray[Any], of: Vocabulary, into: Sequence[str]) -> NDArray[np.int64]:
    """Labels of a vocabulary as indices into any classes that mean the same; -1 = no such class."""
    meanings = [expression(name) for name in into]
    table = [meanings.index(e) if e in meanings else -1 for e in map(expression, of.classes)]
    return np.array([*table, -1])[labels]
