"""Parquet files from users: the footer is checked before any page is unpacked.

A few kilobytes can declare millions of rows, or one value of megabytes that every row repeats.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fervt.errors import DataError

MAX_ROWS = 1_000_000
MAX_UNPACKED_BYTES = 2_000_000_000
_SLACK_BYTES = 1 << 16  # headers and dictionaries of small tables

DAMAGED = (
    pa.ArrowInvalid,
    pa.ArrowNotImplementedError,
    pa.ArrowSerializationError,
    pa.lib.ArrowCapacityError,
)
"""PyArrow's errors that aren't Python's, too; but not a lack of memory, which is no damage."""

BROKEN = (*DAMAGED, OSError, ValueError, LookupError, TypeError, RecursionError)
"""What PyArrow and JSON raise if a file is not a Parquet file or is damaged."""


def open_parquet(source: str | Path | bytes, by_value: Sequence[str] = ()) -> pq.ParquetFile:
    """Opens a file, given by its path or its content; only its footer is read.

    Args:
        source: The file.
        by_value: Columns that are read as dictionaries, which keep a repeated value only once.

    Raises:
        Exception: One of `BROKEN`, the file cannot be read.
    """
    file = BytesIO(source) if isinstance(source, bytes) else source
    return pq.ParquetFile(file, read_dictionary=list(by_value))


def check_size(file: pq.ParquetFile, name: str, bytes_a_row: Mapping[str, int]) -> None:
    """Checks that a file is small enough to be read in full.

    Args:
        file: An open one.
        name: Its name in messages.
        bytes_a_row: The most bytes that a column may take per row.

    Raises:
        DataError: It has too many rows, or would unpack to too much.
    """
    about = file.metadata
    groups = [about.row_group(i) for i in range(about.num_row_groups)]
    rows = max(about.num_rows, sum(max(0, group.num_rows) for group in groups))
    if rows > MAX_ROWS:
        raise DataError(f"{name} has {rows:,} rows; up to {MAX_ROWS:,} can be read.")
    unpacked = 0
    for group in groups:
        for column in map(group.column, range(group.num_columns)):
            size = max(column.total_uncompressed_size, column.total_compressed_size)
            root = column.path_in_schema.split(".")[0]
            most = bytes_a_row.get(root)
            if most is not None and size > most * group.num_rows + _SLACK_BYTES:
                raise DataError(
                    f"{name} cannot be read: {group.num_rows:,} rows of its column "
                    f"'{root}' would take {size / 1e6:,.1f} MB."
                )
            unpacked += size
    if unpacked > MAX_UNPACKED_BYTES:
        raise DataError(f"{name} would unpack to more than {MAX_UNPACKED_BYTES / 1e9:g} GB.")
