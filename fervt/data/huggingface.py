"""Data sets in the form used on the Hugging Face Hub: Parquet with images and numbered labels."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from fervt.data.folders import fer2013_label, split_of
from fervt.errors import DataError
from fervt.labels import FER2013

_LABELS = ("label", "labels")
USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
"""FER2013's names of the splits."""


def as_ours(table: pa.Table, path: Path) -> pa.Table:
    """A Hugging Face data set's table, with fervt's columns.

    There, a label is a class name or a number whose name is in the schema's metadata (or else in
    FER2013's order), and a file or its folder is named after a split.

    Raises:
        DataError: A class is not one of FER2013's, or nothing says which split it is.
    """
    if len(set(table.column_names)) < len(table.column_names):
        raise DataError(f"{path} has two columns with the same name.")
    label = next((name for name in ("emotion", *_LABELS) if name in table.column_names), None)
    if label is not None:
        emotions = _as_emotions(table, label, path)
        table = table.drop_columns("emotion") if label == "emotion" else table
        table = table.append_column("emotion", pa.array(emotions))
    if "usage" not in table.column_names and "split" in table.column_names:
        table = table.append_column("usage", table["split"])
    if "usage" not in table.column_names and label is not None:
        words = [*re.split(r"[^A-Za-z]+", path.stem), path.resolve().parent.name]
        usage = next(filter(None, map(split_of, words)), "")
        if not usage:
            raise DataError(
                f"{path} has no column usage; its name must say train, validation or test."
            )
        table = table.append_column("usage", pa.array([USAGES[usage]] * len(table)))
    return table


def _as_emotions(table: pa.Table, label: str, path: Path) -> list[Any]:
    """FER2013's number or name of each row; anything else is left as it is."""
    numbers = table[label].to_pylist()
    if label != "emotion" and any(type(number) not in (int, str) for number in numbers):
        raise DataError(f"{path}: its column {label} must contain whole numbers or class names.")
    names = _class_names(table.schema.metadata, label)
    classes = {i: fer2013_label(name) for i, name in enumerate(names)}
    if -1 in classes.values():
        raise DataError(f"{path} has classes that are not FER2013's: {', '.join(names)}.")
    return [classes.get(n, n) if type(n) is int else n for n in numbers]


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> list[str]:
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError, RecursionError):
        return list(FER2013.classes)
