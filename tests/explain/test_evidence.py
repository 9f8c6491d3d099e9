"""The evidence maps against computations that share no code with them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fervt.errors import ConfigError
from fervt.explain import (
    Explanation,
    Target,
    attention_rollout,
    cell_attention,
    edge_attention,
    explain_face,
    grad_cam,
    occlude,
    rank_correlations,
    read_cell,
    trace_face,
    untrained_twin,
)
from fervt.explain.evidence import rank_cells
from fervt.explain.grad_cam import class_maps
from fervt.explain.grid import resample_by_area
from fervt.labels import FER2013, FERPLUS
from fervt.model import FERVTGNN, Intervention

KINDS = [
    {},
    {"use_gnn": False},
    {"use_gwa": False},
    {"use_gnn": False, "use_gwa": False},
    {"vocabulary": "ferplus", "image_size": 42, "stem": "face", "depth": 3},
    {"image_size": 56, "graph_pooling": "attention"},
]


@pytest.fixture(scope="module")
def explanation(predictor, face) -> Explanation:
    return explain_face(predictor, face)


def test_occlusion_equals_a_loop_by_hand(predictor, face, explanation):
    image = predictor.prepare(face[None])
    cell = image.shape[-1] // 7
    target = Target(3)
    plain = trace_face(predictor, face).probabilities
    for row in range(7):
        for column in range(7):
            one = image.clone()
            one[:, :, row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = 0
            with torch.no_grad():
                logits = predictor._model(one).logits[0] / predictor.info.temperature
            expected = logits.softmax(dim=0).numpy()
            np.testing.assert_allclose(
                explanation.hidden_probabilities[row, column], expected, atol=1e-6
            )
            drop = explanation.maps(target)["occlusion"][row, column]
            assert drop == pytest.approx(plain[3] - expected[3], abs=1e-6)


def test_an_explanation_costs_five_forward_passes(predictor, face, monkeypatch):
    forward, sizes = FERVTGNN.forward, []

    def counted(model, images, *arguments):
        sizes.append(len(images))
        return forward(model, images, *arguments)

    monkeypatch.setattr(FERVTGNN, "forward", counted)
    occlude(predictor, predictor.prepare(face[None]))
    assert sizes == [49]
    sizes.clear()
    explain_face(predictor, face)
    # The face itself, each cell hidden, each of four tokens dropped, the graph, and GWA.
    assert sizes == [1, 49, 4, 1, 1]


class Toy(nn.Module):
    """A map and a linear reading of it, whose gradient is known: the reading's own weights."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.conv = nn.Conv2d(3, 4, 3, 1, 1)
        self.reading = nn.Linear(4 * 3 * 5, 6)

    def forward(self, images):
        maps = self.conv(images)
        return SimpleNamespace(logits=self.reading(maps.flatten(1)), feature_map=maps)


def test_grad_cam_on_a_model_whose_gradient_is_known():
    toy, image = Toy(), torch.randn(1, 3, 3, 5)
    _, maps = class_maps(toy, image)
    channels = toy.conv(image)[0].detach().numpy()
    weights = toy.reading.weight.detach().numpy().reshape(6, 4, 3, 5).mean(axis=(2, 3))
    expected = np.einsum("ck,khw->chw", weights, channels)
    np.testing.assert_allclose(maps, expected, atol=1e-6)
    clipped = np.maximum(expected[2], 0)
    np.testing.assert_allclose(grad_cam(maps, 2), resample_by_area(clipped), atol=1e-6)


def test_grad_cam_of_a_contrast_is_the_gradient_of_the_difference(predictor, face, explanation):
    output = predictor._model(predictor.prepare(face[None]))
    difference = output.logits[0, 1] - output.logits[0, 4]
    (gradient,) = torch.autograd.grad(difference, output.feature_map)
    weights = gradient[0].mean(dim=(1, 2))
    expected = torch.einsum("k,khw->hw", weights, output.feature_map[0]).relu().detach().numpy()
    found = grad_cam(explanation.class_maps, 1, 4)
    assert found.shape == (7, 7) and found.max() > 0
    np.testing.assert_allclose(found, resample_by_area(expected), rtol=1e-3, atol=1e-8)


def test_explaining_leaves_no_gradient_behind(predictor, face):
    explain_face(predictor, face)
    assert all(parameter.grad is None for parameter in predictor._model.parameters())


def test_rollout_rows_sum_to_one_and_follow_the_formula():
    attention = np.random.default_rng(1).random((3, 2, 5, 5)).astype(np.float32)
    attention /= attention.sum(axis=-1, keepdims=True)
    rollout = attention_rollout(attention)
    np.testing.assert_allclose(rollout.sum(axis=1), 1, atol=1e-6)
    steps = [0.5 * (block.mean(axis=0) + np.eye(5)) for block in attention]
    np.testing.assert_allclose(rollout, steps[2] @ steps[1] @ steps[0], atol=1e-6)


def test_cell_attention_adds_up_what_leaves_a_cell():
    edge_index = np.array([[8, 8, 9, 8], [9, 1, 8, 8]])
    found = cell_attention(np.array([0.5, 0.25, 0.125, 1.0]), edge_index)
    assert found[1, 1] == 1.75 and found[1, 2] == 0.125 and found.sum() == 1.875


def test_attention_of_a_layer_and_a_head_is_the_models_own(predictor, face, explanation):
    output, _ = predictor._run(face[None])
    attention = explanation.trace.gat_attention
    np.testing.assert_allclose(
        edge_attention(attention, 1, 0), output.gat_attention[1][0, :, 0], atol=1e-6
    )
    mean = torch.stack(output.gat_attention)[:, 0].mean(dim=(0, 2))
    np.testing.assert_allclose(edge_attention(attention), mean, atol=1e-6)
    assert explanation.maps(Target(0))["gat"].mean() == pytest.approx(1, abs=1e-5)


def test_a_cell_reads_its_neighbors_in_the_edges_direction(predictor, face, explanation):
    reading = read_cell(explanation, Target(2), (0, 3))
    edges = edge_attention(explanation.trace.gat_attention)
    by_edge = dict(zip(map(tuple, explanation.trace.edge_index.T.tolist()), edges, strict=True))
    assert set(reading.attention_in) == {(0, 2), (0, 3), (0, 4), (1, 3)}
    assert sum(reading.attention_in.values()) == pytest.approx(1, abs=1e-5)
    assert reading.attention_in[0, 2] == pytest.approx(by_edge[2, 3])
    assert reading.attention_out[0, 2] == pytest.approx(by_edge[3, 2])
    assert by_edge[2, 3] != pytest.approx(by_edge[3, 2])
    maps = explanation.maps(Target(2))
    assert reading.values == {key: pytest.approx(float(maps[key][0, 3])) for key in maps}
    assert reading.ranks["gwa"] == 1 + (maps["gwa"] > maps["gwa"][0, 3]).sum()


def test_parts_equal_the_models_own_interventions(predictor, face, explanation):
    def with_change(**change):
        output, _ = predictor._run(face[None], Intervention(**change))
        return predictor.probabilities(output)[0]

    parts = {part.name: part.probabilities for part in explanation.parts}
    assert list(parts) == [
        "L1 dropped", "L2 dropped", "L3 dropped", "GNN dropped", "Average graph vector",
        "GWA weights all equal",
    ]  # fmt: skip
    expected = {
        "L2 dropped": {"keep_tokens": torch.tensor([True, True, False, True, True])},
        "GNN dropped": {"keep_tokens": torch.tensor([True, True, True, True, False])},
        "Average graph vector": {"gnn_features": predictor._model.gnn_mean},
        "GWA weights all equal": {"gwa_weights": torch.ones(7, 7)},
    }
    for name, change in expected.items():
        np.testing.assert_allclose(parts[name], with_change(**change), atol=1e-6)
        assert np.abs(parts[name] - explanation.trace.probabilities).max() > 1e-6


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_every_kind_of_checkpoint_can_be_explained(make_predictor, face, changes):
    predictor = make_predictor(**changes)
    explanation = explain_face(predictor, face)
    config = predictor.info.config
    expected = ["gwa"] * config.use_gwa + ["gat"] * config.use_gnn + ["grad_cam", "occlusion"]
    maps = explanation.maps(explanation.predicted)
    assert list(maps) == expected
    for values in maps.values():
        assert values.shape == (7, 7) and np.isfinite(values).all()
    assert explanation.hidden_probabilities.shape == (7, 7, len(config.classes))
    assert len(explanation.parts) == 3 + 2 * config.use_gnn + config.use_gwa
    blocks = (config.depth, config.heads, len(config.token_names), len(config.token_names))
    assert explanation.trace.transformer_attention.shape == blocks
    prediction, _ = predictor._run(face[None])
    np.testing.assert_allclose(
        explanation.trace.probabilities, predictor.probabilities(prediction)[0], atol=1e-6
    )


def test_targets_are_named_and_contrasted():
    target = Target.named(FERPLUS, "fear", "surprise")
    assert target == Target(6, 2)
    assert target.describe(FERPLUS) == "Fearful, not Surprised"
    assert target.describe_score(FERPLUS) == "probability of Fearful minus that of Surprised"
    assert target.unit == "difference of probabilities"
    assert target.score(np.arange(8.0) ** 2) == 36 - 4
    assert Target(6).describe_score(FERPLUS) == "probability of Fearful"
    for label, against in (("joy", None), ("fear", "joy"), ("fear", "fear")):
        with pytest.raises(ConfigError):
            Target.named(FER2013, label, against)


def test_ranks_and_rank_correlations():
    values = np.arange(49.0).reshape(7, 7)
    assert rank_cells(values)[6, 6] == 1 and rank_cells(values)[0, 0] == 49
    assert rank_cells(np.zeros((7, 7))).max() == 1
    found = rank_correlations({"a": values, "b": -(values**3), "flat": np.ones((7, 7))})
    assert found[0, 1] == pytest.approx(-1) and np.isnan(found[0, 2])


def test_the_untrained_twin_is_another_and_always_the_same(predictor, face):
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    twin = untrained_twin(predictor)
    assert torch.equal(before, torch.random.get_rng_state())
    assert twin._model is untrained_twin(predictor)._model
    assert twin._model is not predictor._model
    assert twin.info == predictor.info
    assert not np.allclose(
        trace_face(twin, face).gwa_weights, trace_face(predictor, face).gwa_weights
    )
