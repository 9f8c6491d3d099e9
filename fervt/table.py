"""The table of faces, with one row per face, the same at every door (command line and pages)."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervt.faces import Box

START = ("file", "status", "face", "left", "top", "right", "bottom", "angle_deg", "label")
"""The first columns; a column for each class follows."""

FOUND, NO_FACE = "ok", "no face"
"""The status of a row; one of an image that could not be read says why."""


@dataclass(frozen=True, eq=False)
class Row:
    """A face; or an image that has none, or that could not be read.

    Attributes:
        file: The image's name.
        status: `FOUND`, `NO_FACE`, or a sentence about what is missing or wrong.
        number: Of the face in its image, from 1; 0 where it has none, None where it is unreadable.
        box_xyxy_px: Of the face.
        angle_deg: Of the face.
        probabilities: (C,) of the face.
    """

    file: str
    status: str
    number: int | None = None
    box_xyxy_px: Box | None = None
    angle_deg: float | None = None
    probabilities: NDArray[np.float32] | None = None


def write_table(rows: Iterable[Row], classes: Sequence[str]) -> str:
    """The rows as CSV, with a header."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([*START, *classes])
    for row in rows:
        start = _as_cell(row.file), _as_cell(row.status), row.number
        writer.writerow([*start, *_describe(row, classes)])
    return text.getvalue()


def _describe(row: Row, classes: Sequence[str]) -> list[Any]:
    if row.probabilities is None or row.box_xyxy_px is None:
        return [""] * (len(START) - 3 + len(classes))
    label = classes[int(row.probabilities.argmax())]
    shares = (f"{p:.6f}" for p in row.probabilities)
    return [*row.box_xyxy_px, row.angle_deg, label, *shares]


def _as_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
