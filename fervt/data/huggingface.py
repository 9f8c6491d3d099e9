"""Data sets as HuggingFace's hub has them: Parquet with an image column and numbered labels."""

import json
import re
from pathlib import Path

import pyarrow as pa

from fervt.data.folders import fer2013_label, split_of
from fervt.errors import DataError
from fervt.labels import FER2013

USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
"""What FER2013 calls the splits."""


def as_ours(table: pa.Table, path: Path) -> pa.Table:
    """A table as HuggingFace's data sets have it, with our columns.

    Their label is a number whose name stands in the schema's metadata (FER2013's order where none
    does), and a file is a split.

    Raises:
        DataError: A class is none of FER2013's, or nothing says which split it is.
    """
    names_twice = len(set(table.column_names)) < len(table.column_names)
    label = next((name for name in ("label", "labels") if name in table.column_names), None)
    if names_twice:
        raise DataError(f"{path} has two columns of one name.")
    if label is not None and not pa.types.is_integer(table.schema.field(label).type):
        raise DataError(f"{path}: its column {label} must hold whole numbers.")
    if "emotion" not in table.column_names and label is not None:
        names = _class_names(table.schema.metadata, label)
        classes = {i: fer2013_label(name) for i, name in enumerate(names)}
        if -1 in classes.values():
            raise DataError(f"{path} has classes that are none of FER2013's: {', '.join(names)}.")
        numbers = table[label].to_pylist()
        table = table.append_column("emotion", pa.array([classes.get(n, n) for n in numbers]))
    if "usage" not in table.column_names and "emotion" in table.column_names:
        usage = next(filter(None, map(split_of, re.split(r"[^A-Za-z]+", path.stem))), "")
        if not usage:
            raise DataError(
                f"{path} has no column usage; its name must say train, validation or test."
            )
        table = table.append_column("usage", pa.array([USAGES[usage]] * len(table)))
    return table


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> list[str]:
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError, RecursionError):
        return list(FER2013.classes)
