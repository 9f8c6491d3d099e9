"""The joined table as a file, one part at a time: each writer returns a sink for parts."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fervt import __version__
from fervt.labels import NOTICE
from fervt.table import arrow_schema, as_csv, csv_header

_GROUP_ROWS = 50_000


class CsvWriter(AbstractContextManager[Callable[[pa.Table], None]]):
    """Lines under a header."""

    def __init__(self, aside: Path, classes: Sequence[str]) -> None:
        self._file = aside.open("w", encoding="utf-8", newline="")
        self._file.write(csv_header(classes))

    def __enter__(self) -> Callable[[pa.Table], None]:
        return self._add

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _add(self, table: pa.Table) -> None:
        self._file.write(as_csv(table))


class ParquetWriter(AbstractContextManager[Callable[[pa.Table], None]]):
    """Large row groups, whatever the size of the parts; `about` goes into the file's metadata."""

    def __init__(self, aside: Path, classes: Sequence[str], about: dict[str, str]) -> None:
        about = about | {"notice": NOTICE, "version": __version__}
        known = {f"fervt.{key}": value for key, value in about.items()}
        self._schema = arrow_schema(classes).with_metadata(known)
        self._writer = pq.ParquetWriter(aside, self._schema, compression="zstd")
        self._tables: list[pa.Table] = []

    def __enter__(self) -> Callable[[pa.Table], None]:
        return self._add

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def _add(self, table: pa.Table) -> None:
        self._tables.append(table.replace_schema_metadata(self._schema.metadata))
        if sum(map(len, self._tables)) >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._tables:
            self._writer.write_table(pa.concat_tables(self._tables), row_group_size=1 << 20)
            self._tables = []
