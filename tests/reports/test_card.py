"""The model card: every placeholder is filled, from the saved figures, and nothing is invented."""

import json
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest
import tiny
from drawn_evidence import save_five_crop
from markdown_it import MarkdownIt
from synthetic import save_evaluation

from fervt.checkpoint import load_checkpoint, save_checkpoint, shipped_checkpoints
from fervt.errors import ConfigError, DataError
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.store import EvaluationStore
from fervt.files import file_sha256
from fervt.labels import FERPLUS
from fervt.reports.card import (
    CARD,
    UNKNOWN,
    ablation_table,
    fill,
    render_card,
    section,
)
from fervt.reports.evaluation import build_report
from fervt.resources import ROOT


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny.save_tiny(tmp_path_factory.mktemp("card"))


def test_figures_are_the_saved_ones(shelf, checkpoint) -> None:
    digest = file_sha256(checkpoint)
    folder = save_evaluation(shelf / "tiny" / "PrivateTest", checkpoint_sha256=digest)
    save_evaluation(
        shelf / "tiny" / "without-gwa", neutralized="gwa", skill=1.0, checkpoint_sha256=digest
    )
    metrics = json.loads((folder / "metrics.json").read_text())
    card = render_card("tiny", checkpoint)
    assert "{{" not in card
    assert f"**{metrics['standard']['accuracy']:.1%}**" in card
    assert f"{metrics['tta']['standard']['accuracy']:.1%} when each face" in card
    assert f"{metrics['without_copies']['accuracy']:.1%} without the images" in card
    assert "| 0.310 |" in card
    assert "five crops" not in card
    worse = json.loads((shelf / "tiny" / "without-gwa" / "metrics.json").read_text())
    change = worse["standard"]["accuracy"] - metrics["standard"]["accuracy"]
    assert (
        f"| GWA weights all 1 | {worse['standard']['accuracy']:.1%} | {100 * change:+.1f}" in card
    )


def test_five_crops_are_said_where_they_were_measured(shelf, checkpoint) -> None:
    digest = file_sha256(checkpoint)
    folder = save_evaluation(shelf / "tiny" / "PrivateTest", checkpoint_sha256=digest)
    save_five_crop(folder)
    accuracy = read_evaluation(folder).rows(averaging="five-crop").scores.accuracy
    said = "(232 faces). Averaging over five crops of each face, none mirrored, gives "
    assert f"{said}{accuracy:.1%} on all 240 faces. The" in render_card("tiny", checkpoint)


def test_switched_off_parts_are_shown_with_their_own_split(shelf, checkpoint) -> None:
    digest = file_sha256(checkpoint)
    save_evaluation(shelf / "tiny" / "PrivateTest", checkpoint_sha256=digest)
    on = {"split": "PublicTest", "checkpoint_sha256": digest}
    folder = save_evaluation(shelf / "tiny" / "PublicTest", **on)
    save_evaluation(shelf / "tiny" / "without-gnn", neutralized="gnn", skill=1.0, **on)
    whole = json.loads((folder / "metrics.json").read_text())["standard"]["accuracy"]
    card = render_card("tiny", checkpoint)
    assert "Switched off, without retraining (PublicTest, n = 240)" in card
    assert f"| nothing | {whole:.1%} |" in card
    assert ablation_table("tiny", "of another file") == ""


def test_teachers_and_means_are_named(shelf, tmp_path) -> None:
    model, info = load_checkpoint(tiny.save_tiny(tmp_path))
    training = {"teachers": ["a", "b"], "averaged": {"c": 0.5, "d": 0.5}}
    training["refit_transformer"] = {"lr": 1e-4, "graph_weight": 2.0}
    path = tmp_path / "taught.safetensors"
    save_checkpoint(path, model, replace(info, training=training))
    card = " ".join(render_card("taught", path).split())
    assert (
        "softened by the answers of 2 teachers; then the transformer alone was trained to rest "
        "more on the graph; its weights are a mean of those of 2 checkpoints"
    ) in card
    training["refit_transformer"]["graph_weight"] = 0.0
    save_checkpoint(path, model, replace(info, training=training))
    assert "alone was trained; its weights are" in " ".join(render_card("taught", path).split())


def test_what_another_checkpoint_taught_is_said(shelf, tmp_path) -> None:
    model, info = load_checkpoint(tiny.save_tiny(tmp_path))
    settings = {"distilled": "ab" * 32, "distill_weight": 0.7}
    taught, told = tmp_path / "taught.safetensors", tmp_path / "told.safetensors"
    losses = {"relevance_weight": 1.0, "equivariance_weight": 0.6, "counterfactual_weight": 0.1}
    losses |= {"graph_weight": 0.1}
    save_checkpoint(taught, model, replace(info, training=settings | losses))
    save_checkpoint(told, model, replace(info, training=settings | dict.fromkeys(losses, 0.0)))
    answers = "70% of each target is another checkpoint's answer to the same view (`abababababab`)"
    assert (
        f"{answers}; GWA was taught which cells that answer rests on; GWA was taught to follow a "
        "face that moves; the answer was taught to need each face's own cell weights; the answer "
        "was taught to need the graph. Data"
    ) in " ".join(render_card("taught", taught).split())
    assert f"{answers}. Data" in " ".join(render_card("told", told).split())
    save_checkpoint(told, model, replace(info, training={"distilled": "ab" * 32, **losses}))
    card = render_card("told", told)
    assert "of each target" not in card and "that answer" not in card


@pytest.mark.parametrize("disturbs", [True, False])
def test_a_wrong_map_that_costs_more_than_no_graph_is_said(shelf, disturbs: bool) -> None:
    name, split = "fervt-wide", "PrivateTest"
    shutil.copytree(ROOT / "assets" / "evaluations" / name / split, shelf / name / split)
    file = shelf / name / split / "parts.json"
    parts = json.loads(file.read_text())
    without = next(change for change in parts["changes"] if change["name"] == "GNN off")
    if disturbs:
        without |= {"difference": -0.01, "low": -0.02, "high": 0.0}
        file.write_text(json.dumps(parts))
    said = "weights cost more than leaving out the graph"
    assert (said in render_card(name, shipped_checkpoints()[name])) == disturbs
    assert (said in build_report(EvaluationStore().find(name, split))) == disturbs


def test_without_an_evaluation_no_figure_is_claimed(shelf, checkpoint) -> None:
    card = render_card("tiny", checkpoint)
    assert "{{" not in card
    assert f"**{UNKNOWN}** of the answers" in card


def test_damaged_metrics_are_a_sentence(shelf, checkpoint) -> None:
    folder = save_evaluation(shelf / "tiny" / "PrivateTest")
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["standard"]["confusion"]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(DataError, match="confusion"):
        render_card("tiny", checkpoint)


def test_an_unknown_placeholder_is_refused() -> None:
    assert fill("{{a}} and {{a}}", {"a": "b"}) == "b and b"
    with pytest.raises(ConfigError, match="'nonsense'"):
        fill("{{nonsense}}", {"a": "b"})


def test_sections_of_the_card() -> None:
    text = CARD.read_text()
    assert section(text, "Limitations").startswith("- **Labels are opinions.**")
    assert "Art. 5(1)(f)" in section(text, "Not for")
    assert section(text, "No such heading") == ""


def test_every_column_of_a_table_has_a_header() -> None:
    name, path = next(iter(shipped_checkpoints().items()))
    tokens = MarkdownIt("commonmark").enable("table").parse(render_card(name, path))
    heads = [after.content for at, after in pairwise(tokens) if at.type == "th_open"]
    assert len(heads) > 10 and all(heads)


def test_a_ferplus_card_does_not_excuse_errors_by_the_majority_it_is_measured_on(
    shelf, checkpoint
) -> None:
    about = {"checkpoint_sha256": file_sha256(checkpoint)}
    save_evaluation(shelf / "tiny" / "PrivateTest", **about)
    assert "a matter of opinion" in render_card("tiny", checkpoint).replace("\n", " ")
    save_evaluation(shelf / "other" / "PrivateTest", classes=FERPLUS, **about)
    card = render_card("other", checkpoint).replace("\n", " ")
    assert "a matter of opinion" not in card and "{{" not in card
