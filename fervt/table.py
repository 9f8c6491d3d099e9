"""The table of faces, with one row per face, the same on the command line and the pages."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fervt.faces import Box

_BOX = ("left", "top", "right", "bottom")
START = ("file", "status", "face", *_BOX, "angle_deg", "label")
"""The first columns; a column for each class follows."""

FOUND, NO_FACE = "ok", "no face"
"""The status of a row; for an image that could not be read, it says why."""


@dataclass(frozen=True, eq=False)
class Row:
    """A face; or an image that has none or could not be read.

    Attributes:
        file: The image's name.
        status: `FOUND`, `NO_FACE`, or a sentence about what is missing or wrong.
        number: Of the face in its image, from 1; 0 if it has none, None if it is unreadable.
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


def arrow_schema(classes: Sequence[str]) -> pa.Schema:
    """The table's columns and their types in a Parquet file."""
    kinds = {"file": pa.string(), "status": pa.string(), "face": pa.int32()}
    kinds |= dict.fromkeys(_BOX, pa.int32())
    kinds |= {"angle_deg": pa.float64(), "label": pa.string()}
    return pa.schema([*kinds.items(), *((name, pa.float32()) for name in classes)])


def as_arrow(rows: Iterable[Row], classes: Sequence[str]) -> pa.Table:
    """The rows as an Arrow table; missing values are null."""
    schema = arrow_schema(classes)
    return pa.Table.from_pylist([_as_record(row, classes) for row in rows], schema)


def write_table(rows: Iterable[Row], classes: Sequence[str]) -> str:
    """The rows as CSV, with a header."""
    return csv_header(classes) + as_csv(as_arrow(rows, classes))


def csv_header(classes: Sequence[str]) -> str:
    """The names of the columns as a line of CSV."""
    text = StringIO()
    csv.writer(text).writerow([*START, *classes])
    return text.getvalue()


def as_csv(table: pa.Table) -> str:
    """A table that `as_arrow` made as lines of CSV, without a header."""
    text = StringIO()
    writer = csv.writer(text)
    for record in table.to_pylist():
        cells = [_as_cell(record.pop("file")), _as_cell(record.pop("status"))]
        cells += [record.pop(name) for name in START[2:]]
        writer.writerow([*cells, *("" if p is None else f"{p:.6f}" for p in record.values())])
    return text.getvalue()


def _as_record(row: Row, classes: Sequence[str]) -> Mapping[str, Any]:
    record: dict[str, Any] = {"file": row.file, "status": row.status, "face": row.number}
    if row.probabilities is None or row.box_xyxy_px is None:
        return record
    record |= zip(_BOX, row.box_xyxy_px, strict=True)
    record |= {"angle_deg": row.angle_deg, "label": classes[int(row.probabilities.argmax())]}
    return record | dict(zip(classes, row.probabilities.tolist(), strict=True))


def _as_cell(text: str) -> str:
    """A text that spreadsheets don't mistake for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
