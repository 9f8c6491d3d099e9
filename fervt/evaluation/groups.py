"""Pairs of groups of an evaluation's rows, which the atlas compares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fervt.evaluation.rows import Rows
from fervt.labels import expression

ANY, WRONG = "any", "wrong"
LEAST = 2
"""Faces that a group must have."""
FEWEST_TO_JUDGE = 20
"""Faces needed to say something of everybody.

With few faces, a mean map, for one, explains much by chance.
"""
SAME_FOR_ALL = 0.6
"""Share of the variance above which a map is called the same for everybody."""


@dataclass(frozen=True, eq=False)
class Group:
    """Some of N rows.

    Attributes:
        title: What they are, as used in a sentence.
        rows: (N,) bool.
    """

    title: str
    rows: NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of rows."""
        return int(self.rows.sum())


def opposite_groups(rows: Rows, label: str, predicted: str) -> tuple[Group, Group]:
    """The chosen faces, and those they are compared with.

    Args:
        rows: N rows.
        label: A class or "any".
        predicted: A class, "any" or "wrong".

    Returns:
        For one wrong answer to one label: those faces, and those of the label that were answered
        right. Otherwise the right and the wrong ones among the faces.
    """
    classes = len(rows.classes)
    diagonal = np.eye(classes, dtype=bool)
    labeled = np.zeros((classes, classes), bool)
    answered = np.zeros((classes, classes), bool)
    named = "faces"
    if label == ANY:
        labeled[:] = True
    else:
        labeled[rows.classes.index(label)] = True
        named = f"faces labeled {expression(label).name}"
    if predicted in (ANY, WRONG):
        answered[:] = True
    else:
        answered[:, rows.classes.index(predicted)] = True
    asked = labeled & answered
    if predicted not in (ANY, WRONG) and label == ANY:
        word = expression(predicted).name
        return (
            _group(f"answers of {word} that are right", rows, asked & diagonal),
            _group(f"answers of {word} that are wrong", rows, asked & ~diagonal),
        )
    if predicted not in (ANY, WRONG) and label != predicted:
        word = expression(predicted).name
        return (
            _group(f"{named} taken for {word}", rows, asked),
            _group(f"{named} answered right", rows, labeled & diagonal),
        )
    if label != ANY and label == predicted:
        return (
            _group(f"{named} answered right", rows, labeled & diagonal),
            _group(f"{named} answered wrong", rows, labeled & ~diagonal),
        )
    right, wrong = ("right answers", "wrong answers") if label == ANY else (
        f"{named} answered right", f"{named} answered wrong")  # fmt: skip
    return _group(right, rows, labeled & diagonal), _group(wrong, rows, labeled & ~diagonal)


def chosen_groups(chosen: NDArray[np.bool_], title: str) -> tuple[Group, Group]:
    """Any selection, and all other rows."""
    return Group(title, chosen), Group("the other faces", ~chosen)


def _group(title: str, rows: Rows, pairs: NDArray[np.bool_]) -> Group:
    return Group(title, pairs[rows.labels, rows.predicted])


def rows_as_table(rows: Rows, measures: Mapping[str, NDArray[Any]] | None = None) -> pd.DataFrame:
    """Rows for a CSV: the face, its label, the answer, and the measures of its picture.

    Args:
        rows: N rows.
        measures: By name, (N,) values.
    """
    names = np.array(rows.classes)
    table = pd.DataFrame(
        {
            "row": rows.table["row"].to_numpy(),
            "image_sha256": rows.table["image_sha256"].to_numpy(),
            "label": names[rows.labels],
            "predicted": names[rows.predicted],
            "right": rows.right,
            "confidence": rows.calibrated.max(axis=1).round(4),
        }
    )
    for name, values in (measures or {}).items():
        table[name] = np.round(values.astype(np.float64), 3)
    return table
