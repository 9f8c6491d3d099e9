"""How mean maps are colored: in the language of single maps, on one scale for all of a kind."""

import numpy as np
import pytest

from fervt.evaluation.atlas import ATLAS_SOURCES
from fervt.reports.mean_maps import shared_range


def test_maps_start_at_the_average_and_share_their_end():
    maps = [np.full((7, 7), 0.4), np.full((7, 7), 1.8)]
    assert shared_range(maps, ATLAS_SOURCES["gwa"]) == pytest.approx((1.0, 1.8))
    assert shared_range([-maps[1], maps[0]], ATLAS_SOURCES["occlusion"]) == (-1.8, 1.8)
    low, high = shared_range(maps[:1], ATLAS_SOURCES["gat"])
    assert low == 1.0 < high
