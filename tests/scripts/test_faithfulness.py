"""The mean map that each source of evidence is compared with."""

import numpy as np
import pytest

from scripts.faithfulness import mean_maps


def test_every_face_counts_the_same_in_a_mean_map():
    rng = np.random.default_rng(3)
    maps = [{"gwa": rng.random((7, 7)), "gat": rng.random((7, 7))} for _ in range(4)]
    means = mean_maps(maps)
    assert list(means) == ["mean of gwa", "mean of gat"]
    louder = [{"gwa": 1000 * maps[0]["gwa"] + 5}, *maps[1:]]
    assert mean_maps(louder)["mean of gwa"] == pytest.approx(means["mean of gwa"])
    once = mean_maps(maps[:1])["mean of gwa"]
    assert once.mean() == pytest.approx(0, abs=1e-12) and once.std() == pytest.approx(1)
    assert (once.ravel().argsort() == maps[0]["gwa"].ravel().argsort()).all()


def test_a_map_without_an_order_has_a_mean():
    flat = np.ones((7, 7), np.float32)
    assert mean_maps([{"occlusion": flat}])["mean of occlusion"] == pytest.approx(0 * flat)
