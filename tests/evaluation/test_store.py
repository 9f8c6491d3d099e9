"""What ships is described truthfully."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import tiny
from drawn_evidence import save_five_crop
from synthetic import save_evaluation

from fervt.__main__ import main
from fervt.checkpoint import read_info, shipped_checkpoints
from fervt.cli.train import read_settings
from fervt.errors import DataError
from fervt.evaluation.metrics import read_metrics
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.store import (
    EvaluationStore,
    describe_checkpoint,
    describe_shipped,
)
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
            metrics = EvaluationStore().metrics(item.name)[split]
            assert metrics.checkpoint.sha256 == file_sha256(shipped_checkpoints()[item.name])
            assert metrics.classes == item.classes
            scores = metrics.standard
            right = round(scores.accuracy * scores.n)
            assert scores.accuracy_interval_95 == pytest.approx(accuracy_interval(right, scores.n))
            assert sum(map(sum, scores.confusion)) == scores.n
            assert item.metrics[split].accuracy == scores.accuracy


@pytest.mark.parametrize("name", ["fervt-narrow", "fervt-ferplus", "fervt-wide"])
def test_evidence_and_robustness_ship_with_what_is_released(name: str) -> None:
    saved = EvaluationStore().find(name, "PrivateTest")
    evidence, robustness = saved.evidence(), saved.robustness()
    assert evidence is not None and len(evidence) == len(saved.plain)
    assert {"gwa", "gat", "grad_cam"} <= set(evidence.maps)
    assert robustness is not None and robustness.is_whole and len(robustness) == 1000
    # The plain answers of both are those that were saved.
    answers = saved.rows().predicted
    assert (robustness.predicted[0] == answers[robustness.positions]).mean() > 0.995
    assert evidence.edges is not None
    every = np.arange(len(evidence))
    entering = np.zeros((49, len(every)))
    np.add.at(entering, evidence.edges.index[1], evidence.edges.attention(every).T)
    assert entering == pytest.approx(1, abs=0.02)


def test_what_is_saved_is_found_by_split(tmp_path) -> None:
    store = EvaluationStore(tmp_path)
    save_evaluation(tmp_path / "alpha" / "PublicTest", split="PublicTest")
    save_evaluation(tmp_path / "alpha" / "PrivateTest")
    save_evaluation(tmp_path / "alpha" / "PrivateTest-without-gwa", neutralized="gwa", skill=1.0)
    assert list(store.folders("alpha")) == ["PrivateTest", "PublicTest"]
    assert list(store.ablations("alpha", "PrivateTest")) == ["gwa"]
    assert store.ablations("alpha", "PublicTest") == {}
    assert store.folders("beta") == {}
    assert store.find("alpha", "PublicTest").split == "PublicTest"
    assert store.find(str(tmp_path / "alpha" / "PrivateTest"), "PublicTest").name == "alpha"
    with pytest.raises(DataError, match="on Training; saved are PrivateTest, PublicTest"):
        store.find("alpha", "Training")


def test_of_two_evaluations_of_a_split_all_doors_give_the_first(tmp_path) -> None:
    store = EvaluationStore(tmp_path)
    first = save_evaluation(tmp_path / "alpha" / "PrivateTest")
    save_evaluation(tmp_path / "alpha" / "PrivateTest-again", seed=1)
    assert store.folders("alpha") == {"PrivateTest": first}
    found = store.find_file(read_metrics(first).checkpoint.sha256, "PrivateTest")
    assert found is not None and found.origin == first


def test_a_folder_is_never_taken_for_a_shipped_name(tmp_path, monkeypatch) -> None:
    store = EvaluationStore(tmp_path)
    save_evaluation(tmp_path / "alpha" / "PrivateTest")
    mine = save_evaluation(tmp_path / "runs" / "alpha", "mine")
    monkeypatch.chdir(tmp_path / "runs")
    assert store.find("alpha", "PrivateTest").name == "alpha"
    for folder in (str(mine), "./alpha", "../runs/alpha/"):
        assert store.find(folder, "PrivateTest").name == "mine"


def test_a_damaged_neighbor_is_named(tmp_path) -> None:
    save_evaluation(tmp_path / "alpha" / "PrivateTest")
    (save_evaluation(tmp_path / "alpha" / "other") / "metrics.json").write_text("{")
    with pytest.raises(DataError, match=r"^The saved metrics 'alpha/other' are damaged"):
        EvaluationStore(tmp_path).folders("alpha")


def test_a_checkpoint_is_described_by_the_store_that_is_given(tmp_path) -> None:
    path = tiny.save_tiny(tmp_path)
    assert describe_checkpoint("tiny", path, EvaluationStore(tmp_path)).metrics == {}
    save_evaluation(tmp_path / "tiny" / "another file of that name", "tiny")
    assert describe_checkpoint("tiny", path, EvaluationStore(tmp_path)).metrics == {}
    save_evaluation(tmp_path / "tiny" / "x", "tiny", checkpoint_sha256=file_sha256(path))
    (headline,) = describe_checkpoint("tiny", path, EvaluationStore(tmp_path)).metrics.values()
    saved = EvaluationStore(tmp_path).metrics("tiny", file_sha256(path))["PrivateTest"]
    assert (headline.n, headline.n_without_copies) == (240, 232)
    assert headline.accuracy_flip_tta == saved.tta.standard.accuracy
    assert headline.accuracy_five_crop is None
    save_five_crop(tmp_path / "tiny" / "x")
    (headline,) = describe_checkpoint("tiny", path, EvaluationStore(tmp_path)).metrics.values()
    rows = read_evaluation(tmp_path / "tiny" / "x").rows(averaging="five-crop")
    assert headline.accuracy_five_crop == rows.scores.accuracy != headline.accuracy


@pytest.mark.parametrize("name", shipped_checkpoints())
def test_each_checkpoint_was_made_by_its_configuration(name: str) -> None:
    file = Path(__file__).parents[2] / "configs" / f"{name}.toml"
    model, config, augment, description = read_settings(file, {})
    info = read_info(shipped_checkpoints()[name])
    assert info.config == model
    # What came after some of these were trained has the value that it had then without a name.
    settings = {"teacher_weight": 0.0, "schedule": "cosine", "decay_epochs": 10.0}
    settings |= {"equivariance_weight": 0.0, "relevance_weight": 0.0, "distill_weight": 0.0}
    settings |= {"counterfactual_weight": 0.0, "graph_weight": 0.0, "freeze_gwa": False}
    others = ("averaged", "teachers", "distilled", "refit_transformer")
    settings |= {n: v for n, v in info.training.items() if n not in others}
    if settings["amp"] is True:  # bfloat16 was a switch
        settings["amp"] = "auto"
    assert bool(info.training.get("teachers")) == bool(config.teacher_weight)
    assert bool(info.training.get("distilled")) == bool(config.distill_weight)
    assert settings == {**asdict(config), "augmentation": asdict(augment)}
    runs = {2: "two", 3: "three", 4: "four", 6: "several"}.get(
        len(info.training.get("averaged", {}))
    )
    ending = f"; the mean of {runs} runs' weights" if runs else ""
    assert info.description == description + ending
