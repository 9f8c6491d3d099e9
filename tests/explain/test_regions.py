"""What hiding a region costs, and the sentence that says it."""

import numpy as np
import pytest

from fervt.explain.pyramid import pyramid
from fervt.explain.regions import (
    describe_drops,
    hide_regions,
    name_main_region,
    strongest_region,
)
from fervt.explain.trace import trace_face
from fervt.regions import REGIONS

NOTHING = dict.fromkeys(REGIONS, 0.0)


def test_each_region_is_hidden_alone(predictor, face):
    effects = hide_regions(predictor, face)
    assert list(effects.hidden) == list(REGIONS)
    plain = predictor.classify(face[None])[0].probabilities
    np.testing.assert_allclose(effects.plain, plain, atol=1e-5)
    for probabilities in effects.hidden.values():
        assert probabilities.shape == plain.shape
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert len({p.tobytes() for p in effects.hidden.values()}) == len(REGIONS)


def test_hiding_a_region_changes_only_what_looks_there(predictor, face):
    """A face without its mouth has nothing to lose there."""
    gray = face.copy()
    gray[:] = round(255 * predictor.info.preprocess.mean)
    for probabilities in hide_regions(predictor, gray).hidden.values():
        np.testing.assert_allclose(probabilities, hide_regions(predictor, gray).plain, atol=0.02)


@pytest.mark.parametrize(
    ("drops", "said"),
    [
        (
            {"mouth": 0.52, "nose": 0.03},
            "Hiding the mouth costs 52 points; the eyes and the brows hardly matter.",
        ),
        (
            {"mouth": 0.30, "eyes": 0.12, "brows": 0.03, "nose": 0.03, "cheeks": 0.04},
            "Hiding the mouth costs 30 points, hiding the eyes 12.",
        ),
        (
            {"eyes": 0.30, "brows": 0.1, "mouth": 0.0, "nose": 0.03, "cheeks": 0.04},
            "Hiding the eyes costs 30 points, hiding the brows 10; the mouth hardly matters.",
        ),
        (
            {"mouth": 0.03},
            "No single region decides: hiding any one of them costs at most 3 points.",
        ),
        ({}, "No single region decides: hiding any one of them costs less than a point."),
        (
            {"mouth": 0.2, "eyes": -0.08, "brows": 0.03, "nose": 0.03, "cheeks": 0.03},
            "Hiding the mouth costs 20 points. Without the eyes, the answer would gain 8 points.",
        ),
    ],
)
def test_the_sentence_is_made_of_the_numbers(drops, said):
    assert describe_drops(NOTHING | drops) == said


def test_the_main_region_in_a_few_words():
    assert name_main_region(NOTHING | {"mouth": 0.5, "eyes": 0.1}) == "mostly the mouth"
    assert name_main_region(NOTHING | {"mouth": 0.5, "eyes": 0.3}) == "the mouth and the eyes"
    assert name_main_region(NOTHING | {"mouth": 0.04}) == "no single region decides"


@pytest.mark.parametrize("region", REGIONS)
def test_the_strongest_region_is_that_of_its_cells_not_the_largest(region):
    values = np.zeros((7, 7))
    for cell in REGIONS[region]:
        values[cell] = 0.1
    assert strongest_region(values) == region


def test_the_pyramid_gets_coarser_and_ends_in_the_traces_last_map(predictor, face):
    trace = trace_face(predictor, face)
    levels = pyramid(predictor, trace.fused_features)
    assert [level.shape[0] for level in levels] == sorted(
        {level.shape[0] for level in levels}, reverse=True
    )
    np.testing.assert_allclose(levels[2], np.abs(trace.feature_map).mean(axis=0), atol=1e-4)
