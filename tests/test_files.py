"""Files are written whole or not at all, and nothing but files is replaced."""

import os
import signal
import subprocess
import sys
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


def parts(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.endswith(".part"))


PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from fervt.files import write_aside
with write_aside(Path(sys.argv[1])) as aside:
    aside.write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_leaves_is_cleared_by_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "a.txt")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"written\n"
        write(tmp_path / "b.txt", "x")
        assert len(parts(tmp_path)) == 1  # while it runs, nobody touches it
        process.kill()
        process.wait()
    assert len(parts(tmp_path)) == 1
    (tmp_path / ".a.txt.part").write_text("somebody else's")
    (tmp_path / ".a.txt.0a1b2c-1.part").write_text("another machine's")
    write(tmp_path / "b.txt", "x")
    assert parts(tmp_path) == [".a.txt.0a1b2c-1.part", ".a.txt.part"]
    os.utime(tmp_path / ".a.txt.0a1b2c-1.part", (0, 0))
    write(tmp_path / "b.txt", "x")
    assert parts(tmp_path) == [".a.txt.part"]


VERB = """
import signal, sys, time, types
# As a terminal starts it: whoever runs the tests in the background ignores some of them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from fervt import __main__ as cli
from fervt.files import write_aside
from pathlib import Path
path = Path(sys.argv[1])
def run(args):
    with write_aside(path) as aside:
        aside.write_text("half")
        print("written", flush=True)
        time.sleep(60)
verb = types.SimpleNamespace(HELP="", add_arguments=lambda parser: None, run=run)
cli.importlib.import_module = lambda name: verb
sys.argv = ["fervt", "video"]
sys.exit(cli.main())
"""


@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGHUP", 143), ("SIGINT", 130)])
def test_a_signal_leaves_nothing_half_written(tmp_path: Path, number: str, code: int) -> None:
    command = [sys.executable, "-c", VERB, str(tmp_path / "a.txt")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"written\n"
        process.send_signal(getattr(signal, number))
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (code, b"fervt: stopped.\n")
    assert os.listdir(tmp_path) == []
