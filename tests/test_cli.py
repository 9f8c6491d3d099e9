"""The command line: help without the heavy imports, one line for what goes wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fervt import __version__
from fervt.__main__ import VERBS, main
from fervt.cli.ending import run_to_end

ROOT = Path(__file__).parents[1]


def test_every_verb_has_help(capsys: pytest.CaptureFixture) -> None:
    for verb in VERBS:
        with pytest.raises(SystemExit) as stop:
            main([verb, "--help"])
        assert stop.value.code == 0
        assert verb in capsys.readouterr().out


def test_version_and_no_verb(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert __version__ in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2


def test_a_known_error_is_one_line_and_exit_code_two() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "fervt", "train", "--data=gone.parquet"]
    done = subprocess.run(
        [*command, "--out=unused"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "fervt: gone.parquet does not exist or is not a file."
    ]
    assert not (ROOT / "unused").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(28, "Error writing bytes to file. Detail: [errno 28]"),
            "No space left on device.",
        ),
        (OSError(30, "x", "out/film.mp4"), "'out/film.mp4': Read-only file system."),
        (OSError("the device went away"), "the device went away"),
    ],
)
def test_what_the_system_refuses_is_said_without_its_number(error, said, monkeypatch, capsys):
    def refuse(arguments):
        raise error

    monkeypatch.setattr("fervt.__main__._run", refuse)
    assert main(["video"]) == 2
    assert capsys.readouterr().err == f"fervt: {said}\n"


def test_a_lack_of_memory_is_a_sentence_whoever_notices_it(capsys) -> None:
    wanted = 2**50

    assert run_to_end("fervt", lambda: bytearray(wanted)) == 2
    assert run_to_end("fervt", lambda: torch.empty(wanted)) == 2
    assert capsys.readouterr().err == 2 * "fervt: there is not enough memory.\n"
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        run_to_end("fervt", lambda: torch.zeros(2, 2) @ torch.zeros(3, 3))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("report --data d.parquet --out slides.pptx", "Slides show no example faces"),
        ("export --data d.parquet --out x.onnx", "--data needs --int8."),
        ("bench faces . --against fer", "--against compares classifiers"),
        ("bench faces . --rounds 2", "face detectors, without --rounds"),
        ("bench faces . --batch-size 64", "face detectors, without --batch-size"),
        ("bench faces . --amp auto", "face detectors, without --amp"),
        ("train --data d.parquet --out o --imagenet i.pth --init x", "not from both"),
    ],
)
def test_what_would_be_ignored_is_refused(command, said, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
