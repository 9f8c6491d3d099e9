"""The contract of every part: shapes, sums, and whose attention it is."""

import pytest
import torch
from torch import nn

from fervt.model.backbone import Backbone, pool_by_cells
from fervt.model.fusion import GWAFusion
from fervt.model.graph import (
    AttentionGNN,
    GraphAttention,
    GraphConstructor,
    GraphPooling,
    grid_edges,
)
from fervt.model.gwa import GWA, choose_cells, spread_over_pixels
from fervt.model.transformer import VTA, MultiHeadedSelfAttention


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_gwa_weights_average_one_and_differ_between_images() -> None:
    gwa = GWA(image_size=28, dim=24, heads=3).eval()
    images = torch.randn(5, 3, 28, 28)
    same, weighted, weights, summary = gwa(images)
    assert same is images
    assert weighted.shape == images.shape
    assert weights.shape == (5, 7, 7)
    assert summary.shape == (5, 24)
    torch.testing.assert_close(weights.mean(dim=(1, 2)), torch.ones(5))
    assert (weights > 0).all()
    assert weights.std(dim=0).max() > 1e-3


def test_gwa_map_is_weight_times_image_cell_by_cell() -> None:
    gwa = GWA(image_size=21, dim=16, heads=2).eval()
    images = torch.randn(2, 3, 21, 21)
    _, weighted, weights, _ = gwa(images)
    for row, column in ((0, 0), (2, 5), (6, 1)):
        pixels = (slice(None), slice(None), slice(3 * row, 3 * row + 3))
        cell = (*pixels, slice(3 * column, 3 * column + 3))
        expected = images[cell] * weights[:, row, column].view(-1, 1, 1, 1)
        torch.testing.assert_close(weighted[cell], expected)


def test_gwa_patch_reads_exactly_the_pixels_of_its_cell() -> None:
    gwa = GWA(image_size=35, dim=8, heads=2)
    images = torch.randn(1, 3, 35, 35, requires_grad=True)
    features = gwa.embed(images)[0, :, 2, 4].sum()
    (gradient,) = torch.autograd.grad(features, images)
    touched = gradient.abs().sum(dim=(0, 1)) > 0
    expected = torch.zeros(35, 35, dtype=torch.bool)
    expected[10:15, 20:25] = True
    assert torch.equal(touched, expected)


def test_gwa_takes_given_weights() -> None:
    gwa = GWA(image_size=14, dim=8, heads=2)
    images = torch.randn(3, 3, 14, 14)
    _, weighted, weights, _ = gwa(images, torch.ones(7, 7))
    assert weights.shape == (3, 7, 7)
    torch.testing.assert_close(weighted, images)


def test_weights_spread_over_the_pixels_of_their_cells() -> None:
    weights = torch.arange(49.0).view(1, 7, 7)
    spread = spread_over_pixels(weights, 21)
    assert spread.shape == (1, 1, 21, 21)
    assert spread[0, 0, 5, 7] == weights[0, 1, 2]


def test_fusion_starts_as_the_identity_of_the_map() -> None:
    fusion = GWAFusion()
    images, weighted = torch.randn(2, 3, 14, 21), torch.randn(2, 3, 14, 21)
    torch.testing.assert_close(fusion(images, weighted), weighted)


def test_grid_has_217_edges_between_neighbors_only() -> None:
    edges = grid_edges()
    assert edges.shape == (2, 168 + 49)
    assert len({tuple(e) for e in edges.T.tolist()}) == 217
    rows, columns = edges // 7, edges % 7
    distance = (rows[0] - rows[1]).abs() + (columns[0] - columns[1]).abs()
    assert (distance[:168] == 1).all()
    assert (distance[168:] == 0).all()


def test_graph_constructor_builds_its_edges_once() -> None:
    graph = GraphConstructor(node_dim=12)
    nodes, edges = graph(torch.randn(4, 3, 28, 28))
    assert nodes.shape == (4, 49, 12)
    assert graph(torch.randn(1, 3, 28, 28))[1] is edges


def test_gat_attention_belongs_to_its_image_and_sums_to_one_per_target() -> None:
    gnn = AttentionGNN(node_dim=12, dim=20, heads=5).eval()
    edges = grid_edges()
    nodes = torch.randn(3, 49, 12)
    together, attentions = gnn(nodes, edges)
    assert together.shape == (3, 49, 20)
    for attention in attentions:
        assert attention.shape == (3, 217, 5)
        sums = torch.zeros(3, 49, 5).index_add_(1, edges[1], attention)
        torch.testing.assert_close(sums, torch.ones(3, 49, 5))
    for i in range(3):
        alone, attention = gnn(nodes[i : i + 1], edges)
        torch.testing.assert_close(alone[0], together[i])
        for one, many in zip(attention, attentions, strict=True):
            torch.testing.assert_close(one[0], many[i])


def test_graph_attention_is_pytorch_geometrics_with_the_same_weights() -> None:
    from torch_geometric.nn import GATConv

    edges = grid_edges()
    theirs = GATConv(6, 4, heads=5, add_self_loops=False, residual=True).eval()
    ours = GraphAttention(6, 20, heads=5)
    theirs.bias.data.normal_()
    ours.load_state_dict(theirs.state_dict())
    mask = torch.full((49, 49), -torch.inf)
    mask[edges[1], edges[0]] = 0
    nodes = torch.randn(3, 49, 6)
    mixed, attention = ours(nodes, mask)
    for i in range(3):
        expected, (_, alpha) = theirs(nodes[i], edges, return_attention_weights=True)
        torch.testing.assert_close(mixed[i], expected)
        torch.testing.assert_close(attention[i][:, edges[1], edges[0]].T, alpha)


def test_gat_messages_flow_from_source_to_target() -> None:
    """With one edge into node 1 and a loop each, only node 1 can feel node 0."""
    gnn = AttentionGNN(node_dim=4, dim=6, heads=2).eval()
    edges = torch.tensor([[0, 0, 1, 2], [1, 0, 1, 2]])
    nodes = torch.randn(1, 3, 4, requires_grad=True)
    for target, expected in ((0, {0}), (1, {0, 1}), (2, {2})):
        (gradient,) = torch.autograd.grad(gnn(nodes, edges)[0][0, target].pow(2).sum(), nodes)
        felt = set(gradient[0].abs().sum(dim=1).nonzero().flatten().tolist())
        assert felt == expected


@pytest.mark.parametrize("kind", ["mean", "max", "attention"])
def test_graph_pooling(kind: str) -> None:
    nodes = torch.randn(3, 49, 10)
    pooled = GraphPooling(10, kind)(nodes)  # type: ignore[arg-type]
    assert pooled.shape == (3, 10)
    if kind == "max":
        torch.testing.assert_close(pooled, nodes.amax(dim=1))
    assert (nodes.amin(dim=1) <= pooled).all()
    assert (pooled <= nodes.amax(dim=1)).all()
    if kind == "mean":
        torch.testing.assert_close(pooled, nodes.mean(dim=1))


def test_graph_pooling_by_cell_weights() -> None:
    nodes, weights = torch.randn(2, 49, 10), torch.zeros(2, 7, 7)
    weights[0, 2, 5], weights[1] = 49.0, 1.0
    pooled = GraphPooling(10, "gwa")(nodes, weights)
    torch.testing.assert_close(pooled[0], nodes[0, 2 * 7 + 5])
    torch.testing.assert_close(pooled[1], nodes[1].mean(dim=0))
    torch.testing.assert_close(GraphPooling(10, "gwa")(nodes), nodes.mean(dim=1))
    torch.testing.assert_close(GraphPooling(10, "mean")(nodes, weights), nodes.mean(dim=1))


def test_graph_pooling_by_contrast() -> None:
    nodes, weights = torch.randn(2, 49, 10), torch.zeros(2, 7, 7)
    weights[0, 2, 5], weights[1] = 49.0, 1.0
    pooled = GraphPooling(10, "contrast")(nodes, weights)
    torch.testing.assert_close(pooled[0], nodes[0, 2 * 7 + 5] - nodes[0].mean(dim=0))
    torch.testing.assert_close(pooled[1], torch.zeros(10))
    torch.testing.assert_close(GraphPooling(10, "contrast")(nodes), nodes.mean(dim=1))


@pytest.mark.parametrize("focus", [0.2, 0.55])
def test_weights_let_the_given_share_of_the_cells_through(focus: float) -> None:
    _, _, weights, _ = GWA(28, dim=12, heads=3, focus=focus)(torch.randn(5, 3, 28, 28))
    torch.testing.assert_close(weights.mean(dim=(1, 2)), torch.ones(5))
    most = weights.flatten(1).topk(round(49 * focus)).values.sum(dim=1) / 49
    assert (most > 0.7).all()


@pytest.mark.parametrize("far_off", [0, 6, 12])
def test_cells_that_hardly_differ_are_chosen_between(far_off: int) -> None:
    """A few cells far down and all others nearly alike is what training would rather have."""
    scores = torch.randn(4, 49) * 1e-3
    scores[:, :far_off] -= 5.0
    chosen = choose_cells(scores, 0.4)
    assert ((chosen > 0.5).sum(dim=1) == 20).all()
    assert (chosen.topk(10).values > 0.8).all()
    assert (chosen.topk(15, largest=False).values < 0.1).all()


def test_scores_that_are_all_alike_choose_all_the_same() -> None:
    chosen = choose_cells(torch.zeros(2, 11), 0.4)
    torch.testing.assert_close(chosen, torch.full((2, 11), 0.5))


def test_pooling_by_cells_weighs_space() -> None:
    maps = torch.zeros(1, 2, 7, 7)
    maps[0, 1, 3, 5] = 1.0
    weights = torch.full((1, 7, 7), 0.5)
    weights[0, 3, 5] = 25.0
    expected = 25.0 / weights.sum()
    torch.testing.assert_close(pool_by_cells(maps, weights)[0], torch.tensor([0.0, expected]))
    torch.testing.assert_close(pool_by_cells(maps, None)[0, 1], torch.tensor(1 / 49))
    rough = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(
        pool_by_cells(rough, torch.ones(2, 7, 7)), pool_by_cells(rough, None)
    )


@pytest.mark.parametrize(
    ("stem", "size", "last"), [("imagenet", 84, 3), ("face", 28, 4), ("face-fast", 28, 2)]
)
def test_backbone_tokens(stem: str, size: int, last: int) -> None:
    backbone = Backbone(stem, width=16, dim=10, use_gnn=True)  # type: ignore[arg-type]
    tokens, feature_map = backbone(torch.randn(2, 3, size, size), torch.randn(2, 10))
    assert tokens.shape == (2, 5, 10)
    assert feature_map.shape == (2, 128, last, last)
    without = Backbone(stem, width=16, dim=10, use_gnn=False)  # type: ignore[arg-type]
    assert without(torch.randn(2, 3, size, size))[0].shape == (2, 4, 10)


def test_class_token_starts_from_gwas_summary() -> None:
    backbone = Backbone("face-fast", 4, 12, use_gnn=False, summary_dim=5).eval()
    images, summary = torch.randn(2, 3, 28, 28), torch.randn(2, 5)
    before, _ = backbone(images, summary=summary)
    plain, _ = backbone(images)
    torch.testing.assert_close(before, plain)
    torch.nn.init.normal_(backbone.start.weight)
    after, _ = backbone(images, summary=summary)
    torch.testing.assert_close(after[:, 0] - plain[:, 0], summary @ backbone.start.weight.T)
    torch.testing.assert_close(after[:, 1:], plain[:, 1:])


def test_self_attention_equals_the_formula_and_obeys_its_mask() -> None:
    layer = MultiHeadedSelfAttention(dim=12, heads=3)
    tokens = torch.randn(2, 5, 12)
    keep = torch.tensor([True, True, False, True, True]).expand(2, 5)
    mixed, attention = layer(tokens, keep)
    assert mixed.shape == (2, 5, 12)
    assert attention.shape == (2, 3, 5, 5)
    torch.testing.assert_close(attention.sum(dim=-1), torch.ones(2, 3, 5))
    assert (attention[..., 2] == 0).all()
    query, key, value = (
        part.view(2, 5, 3, 4).transpose(1, 2) for part in layer.qkv(tokens).chunk(3, dim=-1)
    )
    mask = keep[:, None, None, :]
    expected = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    expected = layer.project(expected.transpose(1, 2).reshape(2, 5, 12))
    torch.testing.assert_close(mixed, expected)


def test_vta_hides_pyramid_tokens_in_training_only() -> None:
    vta = VTA(dim=8, depth=2, heads=2, classes=7, dropout=0.0, token_dropout=0.9)
    tokens = torch.randn(6, 5, 8)
    _, _, attentions = vta.train()(tokens)
    hidden = attentions[0][:, 0, 0] == 0
    assert hidden[:, 1:4].any()
    assert not hidden[:, [0, 4]].any()
    logits, embedding, attentions = vta.eval()(tokens)
    assert logits.shape == (6, 7)
    assert embedding.shape == (6, 8)
    assert len(attentions) == 2
    assert (attentions[0] > 0).all()
