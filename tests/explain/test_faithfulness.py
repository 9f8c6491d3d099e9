"""Deletion and insertion on a model whose cells of interest are planted."""

import copy
import json

import numpy as np
import pytest
import torch
from torch import nn

from fervt.errors import DataError
from fervt.explain import Target, measure_faithfulness
from fervt.explain.faithfulness_table import compare_orders, read_table, summarize

PLANTED = [(1, 2), (1, 4), (3, 3), (5, 1), (5, 5)]


class Planted:
    """An engine that sees the third class where the planted cells are not the mean gray."""

    name = "planted"

    def run(self, images, outputs):
        assert outputs == ["logits"]
        cell = images.shape[-1] // 7
        strength = nn.functional.avg_pool2d(
            torch.from_numpy(images).abs().mean(dim=1, keepdim=True), cell
        )[:, 0]
        seen = torch.stack([strength[:, r, c].clamp(max=0.2) / 0.2 for r, c in PLANTED], dim=1)
        logits = torch.zeros(len(images), 7)
        logits[:, 2] = 8 * seen.mean(dim=1) - 3
        return [logits.numpy()]


@pytest.fixture(scope="module")
def planted(predictor):
    other = copy.copy(predictor)
    other.engine = Planted()
    return other


@pytest.fixture(scope="module")
def maps():
    oracle = np.zeros((7, 7), np.float32)
    for cell in PLANTED:
        oracle[cell] = 1
    return {"oracle": oracle, "opposite": -oracle, "flat": np.zeros((7, 7), np.float32)}


@pytest.mark.parametrize("step", [7, 5, 1])
def test_a_perfect_oracle_beats_random_by_a_wide_margin(planted, face, maps, step):
    measured = measure_faithfulness(planted, face, maps, Target(2), cells_per_step=step, seed=1)
    scores = {score.source: score for score in measured.scores()}
    assert scores["oracle"].deletion_z > 2 and scores["oracle"].insertion_z > 2
    assert scores["opposite"].deletion_z < -2 and scores["opposite"].insertion_z < -2
    assert abs(scores["flat"].deletion_z) < 3 and abs(scores["flat"].insertion_z) < 3
    gain = measured.area(measured.random_deletion).mean() - scores["oracle"].deletion_area
    assert gain > 0.25


def test_curves_begin_and_end_with_the_same_two_faces(planted, face, maps):
    measured = measure_faithfulness(planted, face, maps, Target(2), random_orders=3)
    assert measured.random_deletion.shape == (3, len(measured.shares))
    assert measured.shares[0] == 0 and measured.shares[-1] == 1
    for deletion, insertion in zip(
        [*measured.deletion.values(), *measured.random_deletion],
        [*measured.insertion.values(), *measured.random_insertion],
        strict=True,
    ):
        assert deletion[0] == pytest.approx(insertion[-1]) and deletion[0] > 0.8
        assert deletion[-1] == pytest.approx(insertion[0]) and deletion[-1] < 0.05


def test_a_seed_decides_the_random_orders(planted, face, maps):
    def curves(seed):
        return measure_faithfulness(planted, face, maps, Target(2), seed=seed).random_deletion

    np.testing.assert_array_equal(curves(4), curves(4))
    assert not np.array_equal(curves(4), curves(5))


def test_it_tells_its_progress_and_can_be_stopped(planted, face, maps):
    shares = []
    measure_faithfulness(planted, face, maps, Target(2), random_orders=2, progress=shares.append)
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1

    class Stop(Exception):
        pass

    def stop(share):
        if share > 0.3:
            raise Stop

    with pytest.raises(Stop):
        measure_faithfulness(planted, face, maps, Target(2), progress=stop)


def test_the_table_over_faces_says_what_is_better_than_random(planted, face, maps):
    measured = [
        measure_faithfulness(planted, np.roll(face, shift, axis=1), maps, Target(2), seed=shift)
        for shift in range(8)
    ]
    table = summarize(measured)
    assert table["oracle"]["verdict"] == "better than random"
    assert table["opposite"]["verdict"] == "worse than random"
    assert table["flat"]["verdict"] == "no better than random"
    row = table["oracle"]
    low, high = row["deletion_interval_95"]
    assert low <= row["deletion_gain"] <= high and row["deletion_share_better"] == 1
    gains = [m.area(m.random_deletion).mean() - m.area(m.deletion["oracle"]) for m in measured]
    assert row["deletion_gain"] == pytest.approx(np.mean(gains), abs=1e-4)


def test_two_orders_are_compared_face_by_face(planted, face, maps):
    measured = [
        measure_faithfulness(planted, np.roll(face, shift, axis=1), maps, Target(2), seed=shift)
        for shift in range(8)
    ]
    found = compare_orders(measured, "oracle", "opposite")
    for side in ("deletion", "insertion"):
        low, high = found[f"{side}_interval_95"]
        assert 0 < low <= found[f"{side}_gain"] <= high
    gains = [m.area(m.insertion["oracle"]) - m.area(m.insertion["opposite"]) for m in measured]
    assert found["insertion_gain"] == pytest.approx(np.mean(gains), abs=1e-4)
    back = compare_orders(measured, "opposite", "oracle")
    assert back["deletion_gain"] == -found["deletion_gain"]
    same = compare_orders(measured, "oracle", "oracle")
    assert same["deletion_gain"] == 0 and same["deletion_interval_95"] == [0, 0]


def test_the_table_is_found_by_the_checkpoints_hash(tmp_path):
    path = tmp_path / "faithfulness.json"
    assert read_table("ab", path) is None
    entry = {"checkpoint_sha256": "ab", "faces": 3, "sources": {"gwa": {"over_mean_map": {}}}}
    old = {"checkpoint_sha256": "ef", "sources": {"gwa": {}}}  # of a version that had no mean maps
    path.write_text(json.dumps({"checkpoints": [entry, old]}))
    assert read_table("ab", path) == entry and read_table("cd", path) is None
    assert read_table("ef", path) is None
    path.write_text("{")
    with pytest.raises(DataError, match=r"faithfulness\.json"):
        read_table("ab", path)
