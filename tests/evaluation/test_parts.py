"""What the parts of a checkpoint do, measured on models whose answer is known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch

from fervt.__main__ import main
from fervt.checkpoint import CheckpointInfo
from fervt.cli.evaluate import print_parts
from fervt.data.prepared import write_prepared
from fervt.data.transforms import Preprocess
from fervt.errors import DataError
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.parts import measure_parts, template_share
from fervt.evaluation.parts_report import (
    ANOTHERS,
    FILE,
    GNN_OFF,
    TOKEN_KEPT,
    Following,
    PartChange,
    PartsReport,
    changes_table,
    compare_changes,
    describe_following,
    describe_rows,
    describe_wrong_map,
    hash_labels,
    read_parts,
)
from fervt.model import FERVTGNN

PREPROCESS = Preprocess(28, 0.4, 0.25, crop=28 / 48)


class Pointer(torch.nn.Module):
    """In GWA's place: weighs cells by their brightness, so its weights follow what it sees."""

    def forward(self, images, weights=None):
        cells = torch.nn.functional.adaptive_avg_pool2d(images[:, :1], 7)[:, 0]
        if weights is None:
            weights = cells / cells.mean(dim=(1, 2), keepdim=True)
        return images, images, weights.expand(len(images), 7, 7), torch.zeros(len(images), 8)


class Template(torch.nn.Module):
    """In GWA's place: one map for everybody."""

    def forward(self, images, weights=None):
        fixed = torch.rand(1, 7, 7, generator=torch.Generator().manual_seed(1))
        weights = fixed / fixed.mean() if weights is None else weights
        return images, images, weights.expand(len(images), 7, 7), torch.zeros(len(images), 8)


def _measured(gwa: torch.nn.Module | None, **changes) -> PartsReport:
    torch.manual_seed(0)
    config = replace(tiny.CONFIG, **changes)
    model = FERVTGNN(config).eval()
    if gwa is not None:
        model.gwa = gwa
    data = tiny.tiny_data(3)
    random = np.random.default_rng(0)
    faces = random.integers(60, 200, data.images.shape, dtype=np.uint8)
    info = CheckpointInfo(config, replace(PREPROCESS, mean=0.0))
    return measure_parts(model, info, "0" * 64, "1" * 64, "Training", faces, data.label_fer2013)


def test_weights_that_follow_and_weights_that_stay() -> None:
    follows, stays = _measured(Pointer()), _measured(Template())
    for change in follows.following[:2]:
        assert change.follows == pytest.approx(1, abs=0.02) and change.stays < 0.3
    for change in stays.following[:2]:
        assert change.stays == pytest.approx(1, abs=1e-4) and change.follows < 0.5
    assert [change.change for change in follows.following] == [
        "one cell right", "one cell down", "zoomed by 1.3",
    ]  # fmt: skip
    zoom = follows.following[2]
    assert zoom.follows > zoom.stays + 0.2  # 0.58 and 0.34: of noise, zooming keeps only so much
    assert stays.template_share == pytest.approx(1) and follows.template_share < 0.2
    assert describe_following(follows).startswith("Its attention follows the face")
    assert describe_following(stays).startswith(
        "Its attention is nearly the same map for every face"
    )


def test_following_in_part_is_said_so() -> None:
    moves = (
        Following("one cell right", 0.88, 0.54),
        Following("one cell down", 0.81, 0.59),
        Following("zoomed by 1.3", 0.48, 0.5),
    )
    told = describe_following(PartsReport("", "", "", "PublicTest", 3589, 0.57, 0.31, moves, ()))
    assert told.startswith(
        "Its attention follows the face in part. With the window on the face moved one cell right, "
    )
    assert (
        "0.54 with the old map left in place; one cell down, 0.81 and 0.59; zoomed by 1.3, 0.48 "
        "and 0.50."
        in told
        and "31%" in told
    )


def _wrong_map(wrong: float, none: float, kept: float | None = 0.0, n: int = 3589) -> PartsReport:
    """What another's map, no graph and only the graph's token cost, each give or take 0.01."""
    costs = {ANOTHERS: wrong, GNN_OFF: none, TOKEN_KEPT: kept}
    changes = tuple(
        PartChange(name, 0.6, cost, cost - 0.01, cost + 0.01)
        for name, cost in costs.items()
        if cost is not None
    )
    return PartsReport("", "", "", "PublicTest", n, 0.7, 0.3, (), changes)


def test_a_wrong_map_that_costs_more_than_no_graph_is_said() -> None:
    said = "Another face's weights cost more than leaving out the graph"
    assert describe_wrong_map(_wrong_map(-0.04, -0.01)).startswith(said)
    assert describe_wrong_map(_wrong_map(-0.025, -0.01)) == "", "they may cost the same"
    assert describe_wrong_map(_wrong_map(-0.01, -0.04)) == ""
    assert describe_wrong_map(_wrong_map(-0.04, -0.01, n=10)) == "", "too few faces to judge by"
    assert describe_wrong_map(_wrong_map(-0.04, -0.01, kept=-0.02)) == "", "not by the graph alone"
    assert describe_wrong_map(_wrong_map(-0.04, -0.01, kept=None)) == ""


def test_evaluate_prints_it_after_the_changes(capsys) -> None:
    print_parts(_wrong_map(-0.04, -0.01))
    *_, change, said = capsys.readouterr().out.splitlines()
    assert "token kept: accuracy 60.00%" in change and said.startswith("Another face's weights")


def test_attention_that_stays_in_place_is_not_said_to_follow() -> None:
    moves = (Following("one cell right", 0.5, 0.9), Following("one cell down", 0.8, 0.6))
    told = describe_following(PartsReport("", "", "", "PublicTest", 3589, 0.57, 0.31, moves, ()))
    assert told.startswith("Its attention doesn't follow the face. ")


def test_a_template_costs_nothing_to_exchange() -> None:
    report = _measured(Template())
    by_name = {change.name: change for change in report.changes}
    assert by_name["another face's weights"].difference == 0
    assert by_name["the mean map"].difference == 0
    assert list(by_name) == [
        "another face's weights", "the mean map", "cells shuffled", "GWA off",
        "GWA off, the graph's token kept", "GNN off",
    ]  # fmt: skip
    for change in report.changes:
        assert change.difference == pytest.approx(change.accuracy - report.accuracy)
        assert change.low <= change.difference <= change.high


def test_what_a_model_lacks_is_not_measured() -> None:
    names = [change.name for change in _measured(None, use_gnn=False).changes]
    assert "GNN off" not in names and "GWA off" in names
    bare = _measured(None, use_gwa=False, use_gnn=False)
    assert (bare.template_share, bare.following, bare.changes) == (None, (), ())
    assert describe_following(bare) == "It has no grid-wise attention."


def test_template_share_by_hand() -> None:
    apart = np.ones((2, 7, 7))
    apart[0, 0, 0], apart[0, 0, 1] = 2, 0
    apart[1, 0, 0], apart[1, 0, 1] = 0, 2
    assert template_share(apart) == 0
    assert template_share(apart[:1].repeat(3, axis=0)) == 1
    assert template_share(np.concatenate([apart, apart[:1], apart[:1]])) == pytest.approx(0.25)


def test_one_face_is_too_few() -> None:
    model = FERVTGNN(tiny.CONFIG)
    info = CheckpointInfo(tiny.CONFIG, PREPROCESS)
    with pytest.raises(DataError, match="needs at least two faces"):
        measure_parts(model, info, "", "", "x", np.zeros((1, 48, 48), np.uint8), np.zeros(1, int))


def test_the_command_prints_and_saves_them(tmp_path: Path, capsys) -> None:
    write_prepared(tiny.tiny_data(3), tmp_path / "data.parquet")
    checkpoint = tiny.save_tiny(tmp_path)
    words = ["evaluate", "--checkpoint", str(checkpoint), "--data", str(tmp_path / "data.parquet")]
    words += ["--split", "PublicTest", "--out", str(tmp_path / "out"), "--parts"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "n = 21" in printed and "another face's weights: accuracy" in printed
    saved = json.loads((tmp_path / "out" / "parts.json").read_text())
    assert saved["n"] == 21 and len(saved["changes"]) == 6
    assert Following(**saved["following"][0]).change == "one cell right"
    assert main([*words, "--neutralize", "gwa"]) == 2


ROWS = ["a"] * 240
MEASURED = PartsReport(
    "c" * 64,
    hash_rows(ROWS),
    hash_labels([2] * 240),
    "PrivateTest",
    240,
    0.697,
    0.31,
    (Following("right", 0.96, 0.44), Following("down", 0.96, 0.45)),
    (PartChange("GWA off", 0.597, -0.1, -0.112, -0.088),),
)


def test_what_was_measured_is_read_back_and_said(tmp_path) -> None:
    assert read_parts(tmp_path, "c" * 64, ROWS, 7, [2] * 240) is None
    MEASURED.write(tmp_path)
    assert read_parts(tmp_path, "c" * 64, ROWS, 7, [2] * 240) == MEASURED
    assert changes_table(MEASURED) == [("GWA off", "59.7%", "-10.0 (-11.2 to -8.8)")]


@pytest.mark.parametrize(
    ("sha256", "rows"), [("d" * 64, ROWS), ("c" * 64, ROWS[1:]), ("c" * 64, [*ROWS[1:], "b"])]
)
def test_another_checkpoints_or_other_rows_parts_are_refused(tmp_path, sha256, rows) -> None:
    MEASURED.write(tmp_path)
    with pytest.raises(DataError, match="another checkpoint or other rows"):
        read_parts(tmp_path, sha256, rows, 7, [2] * 240)


def test_several_checkpoints_changes_are_side_by_side() -> None:
    other = replace(MEASURED, changes=(PartChange("GNN off", 0.6, -0.097, -0.11, -0.05),))
    assert compare_changes([MEASURED, other]) == [
        ("GWA off", "-10.0 (-11.2 to -8.8)", "–"),
        ("GNN off", "–", "-9.7 (-11.0 to -5.0)"),
    ]
    assert describe_rows(other, "") == (
        "On PrivateTest (n = 240), where the unchanged model reaches 69.7%."
    )
    assert "(n = 240, FER+ labels)" in describe_rows(other, "FER+")


def test_parts_measured_with_other_labels_are_refused(tmp_path) -> None:
    MEASURED.write(tmp_path)
    with pytest.raises(DataError, match="measured with other labels"):
        read_parts(tmp_path, "c" * 64, ROWS, 7, [*[2] * 239, 3])


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "[" * 9999, '{"n": 1}', "null", "x" * 200_000, "\udcff"]
)
def test_damaged_parts_are_a_sentence(tmp_path, content) -> None:
    (tmp_path / FILE).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"'parts\.json' is damaged"):
        read_parts(tmp_path, "c" * 64, ROWS, 7, [2] * 240)


@pytest.mark.parametrize("spoil", ['"accuracy": NaN', '"accuracy": "x"', '"accuracy": true'])
def test_figures_that_are_no_numbers_are_a_sentence(tmp_path, spoil) -> None:
    MEASURED.write(tmp_path)
    text = (tmp_path / FILE).read_text().replace('"accuracy": 0.697', spoil)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DataError, match="is damaged"):
        read_parts(tmp_path, "c" * 64, ROWS, 7, [2] * 240)


@pytest.mark.parametrize(
    ("sound", "spoiled"),
    [
        ('"n": 240', '"n": Infinity'),
        ('"n": 240', '"n": NaN'),
        ('"n": 240', '"n": 240.5'),
        ('"n": 240', '"n": 1e400'),
        ('"n": 240', f'"n": {"9" * 5000}'),
        ('"accuracy": 0.697', f'"accuracy": {"9" * 400}'),
        ('"name": "GWA off"', '"name": ""'),
        ('"name": "GWA off"', '"name": null'),
        ('"change": "right"', '"change": " "'),
        ('"split": "PrivateTest"', '"split": ""'),
    ],
)
def test_counts_and_names_that_are_none_are_a_sentence(tmp_path, sound, spoiled) -> None:
    MEASURED.write(tmp_path)
    text = (tmp_path / FILE).read_text()
    assert sound in text
    (tmp_path / FILE).write_text(text.replace(sound, spoiled))
    with pytest.raises(DataError, match="is damaged"):
        read_parts(tmp_path, "c" * 64, ROWS, 7, [2] * 240)


def test_a_huge_count_is_of_other_rows(tmp_path) -> None:
    replace(MEASURED, n=10**300).write(tmp_path)
    with pytest.raises(DataError, match="other rows"):
        read_parts(tmp_path, "c" * 64, ROWS, 7, [2] * 240)


def test_with_few_faces_nothing_is_said_about_everybody() -> None:
    moves = (Following("one cell right", 0.9, 0.4), Following("one cell down", 0.8, 0.3))
    few = PartsReport("", "", "", "own", 5, 0.6, 0.9, moves, ())
    assert not few.is_template and describe_following(few).startswith("Its attention follows the")
    assert "explains" not in describe_following(few)
    assert replace(few, n=20).is_template and "explains 90%" in describe_following(
        replace(few, n=20)
    )
