"""What ships is described truthfully."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from fervt.__main__ import main
from fervt.checkpoint import read_info, shipped_checkpoints
from fervt.cli.train import read_settings
from fervt.evaluation.store import describe_shipped, shipped_metrics
from fervt.files import file_sha256
from fervt.metrics import accuracy_interval


def test_command_lists_what_ships(capsys: pytest.CaptureFixture) -> None:
    assert main(["checkpoints", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in found] == list(shipped_checkpoints())
    for item in found:
        assert item["parameters"] > 1e5
        assert item["gmac"] > 0.001
        assert len(item["classes"]) in (7, 8)
    assert main(["checkpoints"]) == 0
    assert found[0]["name"] in capsys.readouterr().out


def test_saved_evaluations_belong_to_the_files_that_ship() -> None:
    for item in describe_shipped():
        for split in ("PublicTest", "PrivateTest"):
            metrics = shipped_metrics(item["name"])[split]
            assert metrics["checkpoint"]["sha256"] == file_sha256(
                shipped_checkpoints()[item["name"]]
            )
            figures = metrics["standard"]
            right = round(figures["accuracy"] * figures["n"])
            assert figures["accuracy_interval_95"] == pytest.approx(
                list(accuracy_interval(right, figures["n"]))
            )
            assert sum(map(sum, figures["confusion"])) == figures["n"]


@pytest.mark.parametrize("name", shipped_checkpoints())
def test_each_checkpoint_was_made_by_its_configuration(name: str) -> None:
    file = Path(__file__).parents[2] / "configs" / f"{name}.toml"
    model, config, augment, description = read_settings(file, {})
    info = read_info(shipped_checkpoints()[name])
    assert info.config == model
    # teacher_weight came after some of these were trained.
    settings = {"teacher_weight": 0.0} | {
        name: value for name, value in info.training.items() if name not in ("averaged", "teachers")
    }
    assert bool(info.training.get("teachers")) == bool(config.teacher_weight)
    assert settings == {**asdict(config), "augmentation": asdict(augment)}
    parts = {0: "", 4: "; the mean of four runs' weights"}
    assert info.description == description + parts[len(info.training.get("averaged", {}))]
