"""The table of speeds: what stands in it follows from the times, and nothing is left out."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import tiny

from fervt.__main__ import main
from fervt.bench import peers, turns
from fervt.bench.turns import Line, in_turns
from fervt.errors import ConfigError
from fervt.predict import Predictor

SHAPE = ["--width=16", "--image-size=28", "--embed-dim=16", "--node-dim=8"]
NETWORK = ["training step of 4", "one face", "64 faces", "evaluate 256 faces"]


def test_a_line_is_the_median_of_the_turns() -> None:
    line = Line.of("work", "other", [0.2, 0.9, 0.3], [0.1, 0.3, 0.1])
    assert (line.ms, line.against_ms, line.turns) == (300, 100, 3)
    assert (line.ratio, line.low, line.high) == pytest.approx((3, 2, 3))


def test_both_have_their_turns_and_short_work_is_repeated(monkeypatch) -> None:
    calls: list[str] = []
    lasts = {"slow": 0.06, "quick": 0.0001}  # seconds, on a clock that no busy machine delays
    now = SimpleNamespace(perf_counter=lambda: sum(lasts[name] for name in calls))
    monkeypatch.setattr(turns, "time", now)
    line = in_turns("x", lambda: calls.append("slow"), "q", lambda: calls.append("quick"), 2)
    assert calls.count("slow") == 4 and calls.count("quick") == 2 + 2 * 50
    measured = [name for name, next_one in zip(calls[4:], [*calls[5:], ""], strict=True)]
    firsts = [n for n, before in zip(measured, ["", *measured], strict=False) if n != before]
    assert firsts == ["quick", "slow", "quick"]  # each goes first every other time
    assert line.ratio > 100


def test_the_network_alone(capsys) -> None:
    assert main(["bench", "network", *SHAPE, "--rounds=1", "--batch-size=4"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["fervt", "other", "ratio", "spread"]
    assert [line.split("  ")[0] for line in lines] == NETWORK
    assert all("bare" in line and "x   " in line for line in lines)


@pytest.mark.slow
def test_the_whole_table_as_json(capsys, tmp_path) -> None:
    checkpoint = tiny.save_tiny(tmp_path)
    asked = ["bench", f"--checkpoint={checkpoint}", "--rounds=1", "--batch-size=4", "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["checkpoint"] == "tiny" and found["image_size"] == 28
    works = [line["work"] for line in found["lines"]]
    assert works == [
        *NETWORK,
        "evidence for one face",
        "faces in a photo of 1024 x 768",
        "20 live frames of 640 x 480",
        "the Predict page",
        "predict next to a busy program",
        "explain next to a busy program",
    ]
    for line in found["lines"]:
        assert line["ratio"] == pytest.approx(line["ms"] / line["against_ms"])
        assert line["low"] <= line["ratio"] <= line["high"]


def test_threads_hold_for_every_kind_of_bench(monkeypatch, capsys, tmp_path) -> None:
    limits = []
    monkeypatch.setattr("fervt.cli.bench.limit_process", limits.append)
    (tmp_path / "none").mkdir()
    assert main(["bench", "faces", str(tmp_path / "none"), "--threads=3"]) == 2
    assert "no photo with exactly one face" in capsys.readouterr().err
    assert main(["bench", "network", *SHAPE, "--rounds=1", "--batch-size=2", "--threads=1"]) == 0
    assert limits == [3, 1]


def test_settings_that_make_no_sense_are_a_sentence(capsys) -> None:
    for asked, sentence in (
        (["--rounds=0"], "at least 1 round"),
        (["faces", "x", "--threads=0"], "at least 1 round, 1 thread"),
        (["faces"], "Give a folder of photos"),
        (["--width=16", "--checkpoint=fervt-narrow"], "not both"),
    ):
        assert main(["bench", *asked]) == 2
        assert sentence in capsys.readouterr().err


class FakeInterpreter:
    """A TFLite file that wants 64 x 64 gray faces from 0 to 1."""

    seen: np.ndarray

    def __init__(self, model_path: str, num_threads: int) -> None:
        assert Path(model_path).read_text() == "weights" and num_threads == 1

    def allocate_tensors(self) -> None: ...

    def get_input_details(self) -> list[dict]:
        return [{"index": 0, "shape": np.array([1, 64, 64, 1]), "dtype": np.float32}]

    def get_output_details(self) -> list[dict]:
        return [{"index": 1}]

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        FakeInterpreter.seen = value

    def invoke(self) -> None: ...

    def get_tensor(self, index: int) -> np.ndarray:
        return np.zeros((1, 7), np.float32)


@pytest.fixture
def predictor(tmp_path) -> Predictor:
    return Predictor(tiny.save_tiny(tmp_path))


def test_a_peer_is_found_by_the_file_in_its_package(predictor, tmp_path, monkeypatch) -> None:
    package = tmp_path / "site" / "fer"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('nobody needs TensorFlow')")
    (package / "data" / "emotion_model_quantized.tflite").write_text("weights")
    monkeypatch.syspath_prepend(tmp_path / "site")
    fake = ModuleType("interpreter")
    fake.Interpreter = FakeInterpreter
    monkeypatch.setitem(sys.modules, "ai_edge_litert", ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", fake)
    (line,) = peers.bench_peers(predictor, ["fer"], 1)
    assert (line.work, line.against) == ("one face", "fer") and line.ratio > 0
    seen = FakeInterpreter.seen
    assert seen.shape == (1, 64, 64, 1) and seen.dtype == np.float32 and 0.9 < seen.max() <= 1


def test_a_peer_that_is_not_installed_is_a_sentence(predictor, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    for name in peers.PEERS:
        with pytest.raises(ConfigError, match=r"not installed|needs Node"):
            list(peers.bench_peers(predictor, [name], 1))
