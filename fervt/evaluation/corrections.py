"""Corrections of labels by people, in a file that several people may write to at once.

SQLite in WAL mode, append-only: whoever corrects a face after somebody else adds an
entry and removes none. The newest entry of a face counts. Faces are identified by hash; neither
their pixels nor who wrote an entry is stored.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from fervt.errors import ConfigError, DataError
from fervt.evaluation.rows import Rows, translate
from fervt.labels import FERPLUS, expression

Verdict = Literal["wrong", "doubtful", "fine"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

_BUSY_S = 10.0
_APPLICATION = 0x66657276  # "ferv": other programs' databases are left alone
_SCHEMA = """
CREATE TABLE IF NOT EXISTS corrections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_sha256 TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reading TEXT,
    at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_image ON corrections (image_sha256, id);
"""


@dataclass(frozen=True)
class Correction:
    """A person's verdict on a face's label.

    Attributes:
        image_sha256: Hex SHA-256 of its pixels.
        verdict: The label is "wrong", "doubtful", or "fine", which withdraws earlier verdicts.
        reading: The class of FER+ that the person sees; None for none.
        at: When, in UTC, as ISO 8601.
    """

    image_sha256: str
    verdict: Verdict
    reading: str | None
    at: str


@dataclass(frozen=True)
class Corrections:
    """The file. Safe to use from any thread and any process.

    Attributes:
        path: Where it is.
    """

    path: Path

    @classmethod
    def open(cls, path: Path) -> "Corrections":
        """Opens the file, or creates it.

        Raises:
            ConfigError: It cannot be opened, or is something else.
        """
        found = cls(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with found._connect() as connection:
                # At once, since another process may be creating the file: it marks it first.
                known, tables = connection.execute(
                    "SELECT application_id, (SELECT count(*) FROM sqlite_master)"
                    " FROM pragma_application_id"
                ).fetchone()
                if known != _APPLICATION and tables:
                    raise ConfigError(f"'{path}' is another program's database.")
                _write_ahead(connection)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"'{path}' cannot be used for corrections: {error}.") from error
        except OSError as error:
            raise ConfigError(
                f"'{path}' cannot be used for corrections: {error.strerror}."
            ) from error
        return found

    def add(self, image_sha256: str, verdict: Verdict, reading: str | None = None) -> None:
        """Appends an entry.

        Args:
            image_sha256: 64 hex digits.
            verdict: As in `Correction`.
            reading: A class of FER+, or None.

        Raises:
            DataError: There is no such verdict or class, or the file cannot be written.
        """
        if len(image_sha256) != 64 or set(image_sha256) - set("0123456789abcdef"):
            raise DataError("A face is identified by the 64 hex digits of its SHA-256.")
        if verdict not in VERDICTS:
            raise DataError(f"'{verdict}' is not a verdict; known: {', '.join(VERDICTS)}.")
        if reading is not None and reading not in FERPLUS.classes:
            raise DataError(f"'{reading}' is not a class of {FERPLUS.title}.")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._reporting(), self._connect() as connection:
            connection.execute(
                "INSERT INTO corrections (image_sha256, verdict, reading, at) VALUES (?, ?, ?, ?)",
                (image_sha256, verdict, reading, now),
            )

    def entries(self) -> list[Correction]:
        """All entries, the oldest first.

        Raises:
            DataError: The file cannot be read.
        """
        with self._reporting(), self._connect() as connection:
            found = connection.execute(
                "SELECT image_sha256, verdict, reading, at FROM corrections ORDER BY id"
            ).fetchall()
        return [Correction(*row) for row in found]

    def latest(self) -> dict[str, Correction]:
        """The entry that counts for each face, without those that were withdrawn.

        Raises:
            DataError: The file cannot be read.
        """
        newest = {entry.image_sha256: entry for entry in self.entries()}
        return {image: entry for image, entry in newest.items() if entry.verdict != "fine"}

    def to_csv(self) -> str:
        """All entries as CSV, the oldest first.

        Raises:
            DataError: The file cannot be read.
        """
        columns = ["image_sha256", "verdict", "reading", "at"]
        rows = [[getattr(entry, name) for name in columns] for entry in self.entries()]
        return pd.DataFrame(rows, columns=columns).to_csv(index=False)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """A new connection, committed at the end: SQLite's connections are for one thread."""
        connection = sqlite3.connect(self.path, timeout=_BUSY_S)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise DataError(f"The corrections cannot be accessed: {error}.") from error


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switches the file to WAL mode, whose lock SQLite does not wait for: it fails at once."""
    give_up = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(0.01)


def corrected(rows: Rows, latest: dict[str, Correction]) -> tuple[Rows, int]:
    """Rows with the readings of people as their labels.

    A face whose label is wrong or doubtful without a reading that is one of the classes has no
    label and is left out.

    Args:
        rows: N rows.
        latest: What counts for each face.

    Returns:
        The rows, and how many of the N faces have a verdict.
    """
    meant = translate(np.arange(len(FERPLUS)), FERPLUS, rows.classes)
    labels, said = rows.labels.copy(), 0
    for at, image in enumerate(rows.table["image_sha256"].tolist()):
        entry = latest.get(image)
        if entry is None:
            continue
        said += 1
        known = entry.reading is not None
        labels[at] = meant[FERPLUS.classes.index(str(entry.reading))] if known else -1
    every = Rows(rows.table, rows.classes, rows.probabilities, labels, rows.temperature)
    return every.select(labels >= 0), said


def describe_reading(reading: str | None) -> str:
    """A reading as text."""
    return "no reading" if reading is None else expression(reading).name
