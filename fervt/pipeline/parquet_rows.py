"""The images of a Parquet file, some rows at a time.

A row group can only be read from its start, and many files are one group. So a reader that has
been used is kept for the next rows: taking chunk after chunk reads a file once.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from fervt.pipeline.plan import IMAGE_COLUMN, open_parquet

_BATCH_ROWS = 32


class _Reader:
    """A file that is read forward.

    Attributes:
        at: The next row.
    """

    def __init__(self, file: str, start: int) -> None:
        self._table = open_parquet(file)
        about = self._table.metadata
        sizes = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
        self._starts = [sum(sizes[:group]) for group in range(len(sizes))]
        self.at = self._group_start(start)
        groups = [group for group, first in enumerate(self._starts) if first >= self.at]
        self._batches = self._table.iter_batches(
            _BATCH_ROWS, row_groups=groups, columns=[IMAGE_COLUMN]
        )
        self._ahead: list[Any] = []

    def _group_start(self, row: int) -> int:
        return max((first for first in self._starts if first <= row), default=0)

    def is_nearest(self, row: int) -> bool:
        """Whether continuing is no slower than starting at the row's group."""
        return self._group_start(row) <= self.at <= row

    def read(self, start: int, stop: int) -> Iterator[bytes | None]:
        """Yields the images of some rows that are still ahead."""
        while self.at < stop:
            if not self._ahead:
                batch = next(self._batches, None)
                if batch is None:
                    return
                if self.at + len(batch) <= start:
                    self.at += len(batch)
                    continue
                self._ahead = batch.column(0).to_pylist()
            value = self._ahead.pop(0)
            self.at += 1
            if self.at > start:
                yield value.get("bytes") if isinstance(value, dict) else value

    def close(self) -> None:
        """Closes the file."""
        self._table.close()


_waiting: dict[str, _Reader] = {}  # one at most; whoever reads takes it out


def read_parquet(file: str, start: int, stop: int) -> Iterator[bytes | None]:
    """Yields the images of rows `start` to `stop`, None where a row has none.

    Raises:
        DataError: The file cannot be read, or has no such column.
    """
    reader = _waiting.pop(file, None)
    for other in [_waiting.pop(name) for name in list(_waiting)]:
        other.close()
    if reader is not None and not reader.is_nearest(start):
        reader.close()
        reader = None
    reader = reader or _Reader(file, start)
    with ExitStack() as on_failure:
        on_failure.callback(reader.close)
        yield from reader.read(start, stop)
        on_failure.pop_all()
        _waiting[file] = reader
