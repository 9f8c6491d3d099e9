"""Files are written whole or not at all, and nothing but files is replaced."""

import os
from pathlib import Path

import pytest

from fervt.files import write_aside


def write(path: Path, text: str) -> None:
    with write_aside(path) as aside:
        aside.write_text(text)


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "new" / "a.txt", "old")
    with pytest.raises(KeyError), write_aside(tmp_path / "new" / "a.txt") as aside:
        aside.write_text("half")
        raise KeyError
    assert (tmp_path / "new" / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path / "new") == ["a.txt"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "target.txt", "old")
    (tmp_path / "link.txt").symlink_to("target.txt")
    write(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "target.txt").read_text() == "new"
    (tmp_path / "loop").symlink_to("loop")
    write(tmp_path / "loop", "x")  # it leads nowhere
    assert (tmp_path / "loop").read_text() == "x"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="no regular file"):
            write(path, "x")
    assert (tmp_path / "pipe").is_fifo()
