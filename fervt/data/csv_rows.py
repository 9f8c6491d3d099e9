"""CSV files from Kaggle and from spreadsheets."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from fervt.errors import DataError

_DELIMITERS = ",;\t"  # spreadsheets use semicolons where commas are decimal separators
_SEPARATOR = re.compile(r'"?sep=([^"\w\s]|\t)"?', re.IGNORECASE)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def csv_rows(path: Path, wanted: tuple[str, ...]) -> Iterator[list[str]]:
    """Yields the wanted columns of a CSV file; their names may have extra spaces.

    The file may begin with a byte order mark and with Excel's line that names the separator, and
    its columns may be separated by commas, semicolons, tabs or what that line says.

    Raises:
        DataError: It cannot be read, lacks a column, or a row has a different number of columns.
    """
    try:
        with path.open("rb") as start:
            encoding = "utf-16" if start.read(2) in _UTF_16 else "utf-8-sig"
        with path.open(newline="", encoding=encoding) as file:
            header = file.readline()
            named = _SEPARATOR.fullmatch(header.rstrip("\r\n"))
            if named:
                header = file.readline()
            delimiter = named[1] if named else max(_DELIMITERS, key=header.count)
            names = next(csv.reader([header], delimiter=delimiter), [])
            columns = [name.strip().lower() for name in names]
            check_missing(path, [name for name in wanted if name.lower() not in columns])
            places = [columns.index(name.lower()) for name in wanted]
            rows = filter(None, csv.reader(file, delimiter=delimiter))
            for i, fields in enumerate(rows):
                if len(fields) != len(columns):
                    raise bad_row(
                        path, i, f"has {len(fields)} columns, but the header has {len(columns)}"
                    )
                yield [fields[place].strip() for place in places]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file ({error}).") from error


def check_missing(path: Path, columns: list[str]) -> None:
    """Checks that a table has all required columns.

    Raises:
        DataError: Some are missing.
    """
    if columns:
        raise DataError(f"{path} lacks the column{'s'[: len(columns) > 1]} {', '.join(columns)}.")


def bad_row(path: Path, i: int, what: str) -> DataError:
    """An error about row `i` of a table."""
    return DataError(f"{path}, row {i + 1} {what}.")
