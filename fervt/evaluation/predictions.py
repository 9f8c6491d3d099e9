"""The tables of a saved evaluation: one row per face, with labels and class probabilities."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from fervt.data.parquet import BROKEN, check_size, open_parquet
from fervt.data.prepared import PreparedData
from fervt.errors import DataError
from fervt.evaluation.metrics import ScoresByCopies
from fervt.labels import FER2013, FERPLUS, Vocabulary
from fervt.metrics import Scores, score

_LABELS = ("label", "label_fer2013", "label_ferplus")
_COLUMNS = (
    "row",
    "image_sha256",
    "usage",
    "label",
    "label_fer2013",
    "label_ferplus",
    "is_copy",
)
_MOST_CELL_BYTES = 128


def predictions_table(
    probabilities: NDArray[np.floating],
    classes: Vocabulary,
    labels: NDArray[np.int64],
    data: PreparedData,
) -> pd.DataFrame:
    """Makes the table of N faces.

    Args:
        probabilities: (N, C), before temperature scaling.
        classes: The checkpoint's C classes.
        labels: (N,) indices into them.
        data: N rows.
    """
    return pd.DataFrame(
        {
            "row": data.row,
            "image_sha256": data.sha256,
            "usage": data.usage,
            "label": labels,
            "label_fer2013": data.label_fer2013,
            "label_ferplus": data.label_ferplus,
            "is_copy": data.is_copy,
            **{name: probabilities[:, i] for i, name in enumerate(classes.classes)},
        }
    )


def scores_of(table: pd.DataFrame, classes: Vocabulary, temperature: float) -> ScoresByCopies:
    """The figures of a table, with and without copies of images from earlier splits.

    Raises:
        DataError: It has no rows.
    """
    names = list(classes.classes)

    def scores(rows: pd.DataFrame) -> Scores:
        return score(rows[names].to_numpy(), rows["label"].to_numpy(), classes.classes, temperature)

    originals = table[~table["is_copy"]]
    return ScoresByCopies(scores(table), None if originals.empty else scores(originals))


def read_predictions(path: Path, classes: Vocabulary) -> pd.DataFrame:
    """Reads and checks a saved table of predictions.

    Args:
        path: A Parquet file.
        classes: The checkpoint's, as the metrics beside the table name them.

    Raises:
        DataError: The file is no such table: a column is missing, probabilities are not finite or
            don't sum to 1, or a label is out of range.
    """
    if not path.is_file():
        raise DataError(f"There is no evaluation '{path.name}' in {path.parent.name}.")
    names = list(classes.classes)
    try:
        file = open_parquet(path)
        schema = file.schema_arrow
    except BROKEN as error:
        raise DataError(f"'{path.name}' is not a parquet file.") from error
    check_size(file, f"'{path.name}'", dict.fromkeys(schema.names, _MOST_CELL_BYTES))
    missing = [name for name in _COLUMNS if name not in schema.names]
    if missing:
        raise DataError(f"'{path.name}' lacks the column '{missing[0]}'.")
    if schema.names != [*_COLUMNS, *names]:
        raise DataError(f"'{path.name}' has other class columns than {classes.title}'s.")
    kinds: dict[str, tuple[Callable[[pa.DataType], bool], ...]]
    kinds = dict.fromkeys(("row", *_LABELS), (pa.types.is_integer,))
    kinds |= dict.fromkeys(
        ("image_sha256", "usage"), (pa.types.is_string, pa.types.is_large_string)
    )
    kinds |= {"is_copy": (pa.types.is_boolean,)}
    kinds |= dict.fromkeys(names, (pa.types.is_floating, pa.types.is_integer))
    right = all(any(kind(schema.field(c).type) for kind in kinds[c]) for c in schema.names)
    if not right:
        raise DataError(f"'{path.name}' has a column of the wrong kind.")
    try:
        cells = file.read()
        # Without pandas' metadata: an untrusted file's could say anything.
        table = cells.to_pandas(ignore_metadata=True)
    except BROKEN as error:
        raise DataError(f"'{path.name}' is damaged.") from error
    if any(cells[column].null_count for column in _COLUMNS):
        raise DataError(f"'{path.name}' has empty cells.")
    probabilities = table[names].to_numpy(dtype=np.float64)
    if not np.isfinite(probabilities).all() or (probabilities < 0).any():
        raise DataError(f"'{path.name}' contains probabilities that are not finite or negative.")
    if len(table) and np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3:
        row = int(np.abs(probabilities.sum(axis=1) - 1).argmax())
        raise DataError(f"'{path.name}' row {row}: the probabilities don't sum to 1.")
    if not table["label"].between(0, len(names) - 1).all():
        raise DataError(f"'{path.name}' contains a label outside its {len(names)} classes.")
    for labels in (FER2013, FERPLUS):  # -1: none of this set
        if not table[f"label_{labels.name}"].between(-1, len(labels) - 1).all():
            raise DataError(f"'{path.name}' contains a label that {labels.title} does not have.")
    return table
