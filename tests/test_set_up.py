"""`make app` and `make test` on machines where something is missing, and the second time."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell")


def set_up(folder: Path, python: str = sys.executable) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["sh", ROOT / "scripts" / "set_up.sh", "requirements.txt"],
        cwd=folder,
        env={**os.environ, "PYTHON": python},
        capture_output=True,
        text=True,
    )


def fake_python(folder: Path, refuses: str) -> str:
    """A Python that fails where its arguments hold some words."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\ncase "$*" in *"{refuses}"*) exit 1;; esac\n')
    script.chmod(0o755)
    return str(script)


def test_without_python(tmp_path):
    done = set_up(tmp_path, python="python-of-nobody")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("There is no 'python-of-nobody' here: install Python 3.11")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("refuses", "sentence"),
    [
        ("version_info", "is too old: install Python 3.11"),
        ("ensurepip", "apt install python3-venv"),
    ],
)
def test_python_too_old_or_without_venv(tmp_path, refuses, sentence):
    done = set_up(tmp_path, python=fake_python(tmp_path, refuses))
    assert done.returncode == 1 and done.stdout == ""
    assert sentence in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_installs_what_is_missing_and_nothing_twice(tmp_path):
    package = tmp_path / "wheels" / "fervt_probe-1.0-py3-none-any.whl"
    package.parent.mkdir()
    with zipfile.ZipFile(package, "w") as wheel:
        wheel.writestr("fervt_probe.py", "")
        about = "fervt_probe-1.0.dist-info/"
        wheel.writestr(
            about + "METADATA", "Metadata-Version: 2.1\nName: fervt-probe\nVersion: 1.0\n"
        )
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(about + "RECORD", "")
    requirements = tmp_path / "requirements.txt"
    pinned = (
        'fervt-probe==1.0 ; python_version > "3"  # a comment\nnever==1 ; python_version < "3"\n'
    )
    requirements.write_text(f"--no-index\n--find-links {package.parent}\n{pinned}")
    first = set_up(tmp_path)
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stdout and "Installing" in first.stdout

    requirements.write_text(pinned)  # `make app` after `make test`: another file, nothing missing
    assert set_up(tmp_path).stdout == ""

    requirements.write_text(pinned.replace("1.0", "2.0"))
    failed = set_up(tmp_path)
    assert "Making .venv" not in failed.stdout and "Installing" in failed.stdout
    assert failed.returncode == 1 and "The installation failed" in failed.stderr
    assert set_up(tmp_path).returncode == 1  # a failed installation is not taken for done


def test_make_says_what_is_missing(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    shutil.copy(ROOT / "Makefile", tmp_path)
    for target in ("app", "test", "lint"):
        done = subprocess.run(
            ["make", "-C", str(tmp_path), target, "PYTHON=python-of-nobody"],
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0 and "There is no 'python-of-nobody' here" in done.stderr
