"""Files are written whole or not at all, and nothing but files is replaced."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fervt.files import finish_writes, write_aside, write_together


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


def test_the_folder_is_scanned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: scanned.append(folder) or scan(folder))
    write(tmp_path / "a.txt", "x")
    assert scanned == [tmp_path]


def parts(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.endswith(".part"))


PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from fervt.files import finish_writes, write_aside, write_together
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
from fervt.files import finish_writes, write_aside, write_together
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


SEVERAL = """
import os, sys
from pathlib import Path
from fervt import files
steps = int(sys.argv[2])
def watched(move):
    def moved(*arguments, **named):
        global steps
        steps -= 1
        if steps < 0:
            os.kill(os.getpid(), 9)
        return move(*arguments, **named)
    return moved
for holder, name in ((os, "replace"), (Path, "unlink"), (Path, "write_bytes")):
    setattr(holder, name, watched(getattr(holder, name)))
files.write_together(
    Path(sys.argv[1]), {"a.txt": b"new", "b.txt": b"new"}, remove=["old.txt"]
)
"""


def test_several_files_change_together_wherever_the_writer_is_killed(tmp_path: Path) -> None:
    """Killed before each step that touches the folder, until nothing is left to be killed at."""
    outcomes = []
    for steps in range(40):
        folder = tmp_path / str(steps)
        folder.mkdir()
        for name in ("a.txt", "b.txt", "old.txt"):
            (folder / name).write_text("old")
        command = [sys.executable, "-c", SEVERAL, str(folder), str(steps)]
        code = subprocess.run(command, cwd=Path(__file__).parents[1], check=False).returncode
        finish_writes(folder)
        write(folder / "other.txt", "x")  # whoever writes next clears what is left
        found = {name: (folder / name).read_text() for name in sorted(os.listdir(folder))}
        assert found.pop("other.txt") == "x"
        assert found in (
            {"a.txt": "old", "b.txt": "old", "old.txt": "old"},
            {"a.txt": "new", "b.txt": "new"},
        ), (steps, found)
        outcomes.append(found["a.txt"])
        if code == 0:
            break
    assert code == 0 and outcomes == sorted(outcomes, reverse=True)
    assert outcomes.count("old") >= 3 and outcomes.count("new") >= 3


def test_a_strange_plan_reaches_nothing_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, text in enumerate(("[", "[]", '{"remove": ["../kept.txt"], "rename": ["../x"]}')):
        (folder / f".0a1b2c-{number}.plan").write_text(text)
        os.utime(folder / f".0a1b2c-{number}.plan", (0, 0))
    finish_writes(folder)
    assert (tmp_path / "kept.txt").read_text() == "kept"
    assert os.listdir(folder) == []


def test_a_full_disk_changes_no_file_of_several(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / "a.txt", "old")

    def full(path: Path, content: bytes) -> int:
        if content == b"too much":
            raise OSError(28, "No space left on device")
        return path.write_text(content.decode())

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_together(tmp_path, {"a.txt": b"new", "b.txt": b"too much"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


def test_a_stop_halves_no_set_of_files(tmp_path: Path, monkeypatch) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        write(tmp_path / name, "old")
    replace, moved = os.replace, []

    def stop_once(source, target) -> None:
        if moved == ["a.txt"]:
            moved.append("stopped")
            raise KeyboardInterrupt
        replace(source, target)
        if not str(target).endswith(".plan"):
            moved.append(Path(target).name)

    monkeypatch.setattr("os.replace", stop_once)
    with pytest.raises(KeyboardInterrupt):
        write_together(tmp_path, {"a.txt": b"new", "b.txt": b"new"}, remove=["c.txt"])
    assert moved == ["a.txt", "stopped", "b.txt"]
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == {"a.txt": "new", "b.txt": "new"}


def test_what_cannot_be_moved_is_left_for_the_next_reader(tmp_path: Path, monkeypatch) -> None:
    replace = os.replace

    def fail(source, target) -> None:
        if Path(target).name == "b.txt":
            raise OSError(5, "Input/output error", str(source))
        replace(source, target)

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="Input/output"):
        write_together(tmp_path, {"a.txt": b"new", "b.txt": b"new"})
    monkeypatch.setattr("os.replace", replace)
    monkeypatch.setattr("fervt.files._runs", lambda pid: False)  # the next reader is another
    finish_writes(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.txt": "new",
        "b.txt": "new",
    }


def test_an_error_names_the_file_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught, write_aside(tmp_path / "a.txt") as aside:
        raise OSError(28, "No space left on device", str(aside))
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_a_strange_plan_moves_nothing_out_of_its_folder(tmp_path: Path) -> None:
    """The path in the plan leads out of the folder, to a file there that is named like a part."""
    folder = tmp_path / "folder"
    for step in (".x", "x"):  # that the path goes through
        (folder / step).mkdir(parents=True)
    name = "y.0a1b2c-1.part"
    for place in (folder, tmp_path):
        (place / name).write_text("kept")
    plan = folder / ".0a1b2c-1.plan"
    plan.write_text(f'{{"remove": [], "rename": [".x/../../{name}"]}}')
    os.utime(plan, (0, 0))
    finish_writes(folder)
    assert sorted(os.listdir(tmp_path)) == ["folder", name]
    assert (folder / name).read_text() == "kept" and not plan.exists()
