"""Changes of a face, and the numbers of the stages."""

import numpy as np
import pytest

from fervt.explain import (
    CHANGES,
    Target,
    explain_face,
    graph_facts,
    node_similarity,
    stage_statistics,
    trace_face,
    what_if,
)
from fervt.explain.statistics import facts_as_text
from fervt.explain.trace import Trace


@pytest.mark.parametrize("change", CHANGES)
def test_the_neutral_value_leaves_the_face_as_it_is(predictor, face, change):
    found = what_if(predictor, face, change, (2, 4))
    plain = trace_face(predictor, face)
    index = list(found.values).index(CHANGES[change].neutral)
    np.testing.assert_allclose(found.probabilities[index], plain.probabilities, atol=1e-5)
    np.testing.assert_allclose(found.inputs[index] / 255, plain.model_input, atol=0.003)
    others = np.delete(found.probabilities, index, axis=0)
    assert (np.abs(others - plain.probabilities).max(axis=1) > 1e-6).all()
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_slider_has_nine_points():
    points = {name: len(change.values) for name, change in CHANGES.items()}
    assert points.pop("mirrored") == 2 and set(points.values()) == {9}


def test_hiding_a_cell_ends_at_its_occlusion(predictor, face):
    found = what_if(predictor, face, "hidden", (2, 4))
    hidden = explain_face(predictor, face).hidden_probabilities[2, 4]
    np.testing.assert_allclose(found.probabilities[-1], hidden, atol=1e-5)


def test_the_mirrored_face_is_the_face_mirrored(predictor, face):
    found = what_if(predictor, face, "mirrored", (0, 0))
    expected = trace_face(predictor, np.ascontiguousarray(face[:, ::-1])).probabilities
    np.testing.assert_allclose(found.probabilities[1], expected, atol=1e-5)


def test_blur_takes_contrast_and_brightness_adds_light(predictor, face):
    blurred = what_if(predictor, face, "blur", (0, 0)).inputs.astype(float).std(axis=(1, 2))
    assert (np.diff(blurred) < 0).all()
    bright = what_if(predictor, face, "brightness", (0, 0)).inputs.mean(axis=(1, 2))
    assert (np.diff(bright) > 0).all()


def test_statistics_of_every_stage(predictor, face):
    trace = trace_face(predictor, face)
    rows = {row.stage: row for row in stage_statistics(trace)}
    assert rows["GWA weights"].mean == pytest.approx(1, abs=1e-5)
    assert rows["GWA weights"].shape == "7 × 7"
    assert rows["tokens"].shape == "5 × 16"
    assert rows["input (normalized)"].std == pytest.approx(trace.image.std(), rel=1e-5)
    assert all(row.nan_share == 0 for row in rows.values())
    broken = Trace(**{**vars(trace), "tokens": np.array([[np.nan, 1.0, 3.0, np.nan]])})
    row = {row.stage: row for row in stage_statistics(broken)}["tokens"]
    assert (row.nan_share, row.mean, row.max) == (0.5, 2.0, 3.0)


def test_the_graphs_facts(predictor, face):
    facts = graph_facts(trace_face(predictor, face).edge_index)
    assert facts == {
        "nodes": 49,
        "directed_edges": 217,
        "self_loops": 49,
        "neighbors": {2: 4, 3: 20, 4: 25},
        "connected": True,
    }
    assert "217 directed edges" in facts_as_text(facts)
    assert graph_facts(np.array([[0, 1], [1, 1]]))["connected"] is False


def test_node_similarity_is_the_cosine():
    nodes = np.array([[1.0, 0, 0], [2.0, 0, 0], [0, 3.0, 0], [-1.0, 0, 0], [0, 0, 0]])
    found = node_similarity(nodes)
    np.testing.assert_allclose(found[0], [1, 1, 0, -1, 0])


def test_a_contrast_moves_with_both_classes(predictor, face):
    explanation = explain_face(predictor, face)
    drop = explanation.maps(Target(1, 4))["occlusion"]
    one, other = (explanation.maps(Target(index))["occlusion"] for index in (1, 4))
    np.testing.assert_allclose(drop, one - other, atol=1e-6)
