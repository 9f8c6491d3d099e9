"""The command line: help without the heavy imports, one line for what goes wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fervt import __version__
from fervt.__main__ import VERBS, main

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
    assert done.stderr.strip().splitlines() == ["fervt: gone.parquet does not exist or is no file."]
    assert not (ROOT / "unused").exists()


def test_bench_prints_ratios(capsys: pytest.CaptureFixture) -> None:
    options = ["--width=8", "--image-size=28", "--embed-dim=16", "--node-dim=8", "--rounds=1"]
    assert main(["bench", *options, "--batch-size=4"]) == 0
    assert capsys.readouterr().out.count("x\n") == 5
    assert main(["bench", *options, "--batch-size=4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for part, ours, bare in (
        ("training", "fervt_gnn_images_per_s", "resnet34_images_per_s"),
        ("evaluation", "evaluate_faces_per_s", "bare_loop_faces_per_s"),
    ):
        assert found[part]["ratio"] == pytest.approx(found[part][ours] / found[part][bare])
    for times in found["busy_neighbor"].values():
        assert times["ratio"] == pytest.approx(times["busy_ms"] / times["quiet_ms"])
    assert main(["bench", "--rounds=0"]) == 2
