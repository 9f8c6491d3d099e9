"""Corrections of labels: two who write at once lose nothing, and the newest entry counts."""

import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from synthetic import save_evaluation

from fervt.__main__ import main
from fervt.errors import ConfigError, DataError
from fervt.evaluation.corrections import Corrections, corrected
from fervt.evaluation.saved import read_evaluation

ROOT = Path(__file__).parents[2]
ONE, TWO = "a" * 64, "b" * 64

WRITER = """
import sys
from pathlib import Path
from fervt.evaluation.corrections import Corrections
store = Corrections.open(Path(sys.argv[1]))
for number in range(60):
    store.add(f"{int(sys.argv[2]) * 1000 + number:064x}", "wrong", "fear")
"""


def test_the_newest_entry_of_a_face_counts(tmp_path) -> None:
    store = Corrections.open(tmp_path / "new" / "corrections.db")
    assert store.entries() == [] and store.latest() == {}
    store.add(ONE, "wrong", "fear")
    store.add(TWO, "doubtful")
    store.add(ONE, "doubtful", "surprise")
    assert [e.verdict for e in store.entries()] == ["wrong", "doubtful", "doubtful"]
    assert store.latest()[ONE].reading == "surprise"
    store.add(ONE, "fine")
    assert set(store.latest()) == {TWO} and len(store.entries()) == 4
    lines = Corrections.open(tmp_path / "new" / "corrections.db").to_csv().splitlines()
    assert lines[0] == "image_sha256,verdict,reading,at" and len(lines) == 5
    assert lines[2].startswith(f"{TWO},doubtful,,")


def test_two_processes_at_once_lose_nothing(tmp_path) -> None:
    path = tmp_path / "corrections.db"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)], cwd=ROOT)
        for number in (1, 2)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    entries = Corrections.open(path).entries()
    assert len(entries) == len({e.image_sha256 for e in entries}) == 120
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


class Slow(sqlite3.Connection):
    """A connection that lets another one create the file after its first statement."""

    path: Path
    waited = False

    def execute(self, *arguments):
        done = super().execute(*arguments)
        if not Slow.waited:
            done = iter(done.fetchall())  # lets go of the file
            Slow.waited = True
            Corrections.open(self.path).add(ONE, "wrong")
            return SimpleNamespace(fetchone=lambda: next(done))
        return done


def test_a_file_that_another_process_is_just_creating_is_not_another_programs(
    tmp_path, monkeypatch
) -> None:
    path, connect = tmp_path / "corrections.db", sqlite3.connect
    Slow.path, Slow.waited = path, False
    monkeypatch.setattr(sqlite3, "connect", partial(connect, factory=Slow))
    assert len(Corrections.open(path).entries()) == 1
    assert Slow.waited


def test_opening_waits_for_a_process_that_writes(tmp_path) -> None:
    path = tmp_path / "corrections.db"
    writing = sqlite3.connect(path, check_same_thread=False)
    writing.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, writing.rollback).start()
    Corrections.open(path).add(ONE, "wrong")
    writing.close()
    assert len(Corrections.open(path).entries()) == 1


@pytest.mark.parametrize(
    ("image", "verdict", "reading", "message"),
    [
        ("x" * 64, "wrong", None, "64 hex digits"),
        (ONE[:63], "wrong", None, "64 hex digits"),
        (ONE, "odd", None, "not a verdict"),
        (ONE, "wrong", "happy", "not a class of FER"),
    ],
)
def test_what_is_no_correction_is_refused(tmp_path, image, verdict, reading, message) -> None:
    store = Corrections.open(tmp_path / "corrections.db")
    with pytest.raises(DataError, match=message):
        store.add(image, verdict, reading)
    assert store.entries() == []


def test_other_files_are_left_alone(tmp_path) -> None:
    (tmp_path / "text.db").write_text("no database, but text that is long enough to be read")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE notes (words TEXT)")
    connection.close()
    (tmp_path / "folder").mkdir()
    for name in ("text.db", "other.db", "folder"):
        before = (tmp_path / name).read_bytes() if name != "folder" else None
        with pytest.raises(ConfigError, match=r"cannot be used|another program's"):
            Corrections.open(tmp_path / name)
        assert main(["app", "--annotations", str(tmp_path / name)]) == 2
        if before is not None:
            assert (tmp_path / name).read_bytes() == before


def test_rows_as_corrected(tmp_path) -> None:
    rows = read_evaluation(save_evaluation(tmp_path / "alpha")).rows()
    images = rows.table["image_sha256"].tolist()
    store = Corrections.open(tmp_path / "corrections.db")
    store.add(images[0], "wrong", "surprise")
    store.add(images[1], "wrong", "contempt")  # no class of this checkpoint
    store.add(images[2], "doubtful")
    store.add(images[3], "wrong", "fear")
    store.add(images[3], "fine")
    store.add("c" * 64, "wrong", "fear")  # of no row
    found, said = corrected(rows, store.latest())
    assert said == 3 and len(found) == len(rows) - 2
    assert found.classes[found.labels[0]] == "surprise"
    assert (found.labels[1:] == rows.labels[3:]).all()
    assert (rows.labels == read_evaluation(tmp_path / "alpha").rows().labels).all()
