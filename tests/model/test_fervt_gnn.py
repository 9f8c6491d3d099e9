"""The contract of the whole model."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import resnet34

from fervt.errors import CheckpointError, ConfigError
from fervt.model import FERVTGNN, FERVTConfig, Intervention

TINY = FERVTConfig(
    image_size=28, stem="face-fast", width=16, embed_dim=24, heads=2, gwa_dim=12, gwa_heads=3,
    node_dim=8, gat_heads=3, dropout=0.0, token_dropout=0.0,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_output_has_every_stage_with_its_shape() -> None:
    output = FERVTGNN(TINY).eval()(torch.randn(5, 3, 28, 28))
    shapes = {
        "logits": (5, 7),
        "class_embedding": (5, 24),
        "gwa_weights": (5, 7, 7),
        "gwa_map": (5, 3, 28, 28),
        "fused_features": (5, 3, 28, 28),
        "node_features": (5, 49, 8),
        "graph_features": (5, 49, 24),
        "gat_edge_index": (2, 217),
        "gnn_features": (5, 24),
        "feature_map": (5, 128, 2, 2),
        "tokens": (5, 5, 24),
        "gwa_logits": (5, 7),
        "gnn_logits": (5, 7),
    }
    assert {name: tuple(getattr(output, name).shape) for name in shapes} == shapes
    assert [tuple(a.shape) for a in output.gat_attention] == [(5, 217, 3)] * 2
    assert [tuple(a.shape) for a in output.transformer_attention] == [(5, 2, 5, 5)] * 2


def test_eight_classes_and_other_sizes() -> None:
    config = replace(TINY, vocabulary="ferplus", image_size=42, stem="face", depth=1)
    output = FERVTGNN(config).eval()(torch.randn(2, 3, 42, 42))
    assert output.logits.shape == (2, 8)
    assert len(output.transformer_attention) == 1


@pytest.mark.parametrize(("gwa", "gnn"), [(False, True), (True, False), (False, False)])
def test_parts_can_be_left_out(gwa: bool, gnn: bool) -> None:
    output = FERVTGNN(replace(TINY, use_gwa=gwa, use_gnn=gnn)).eval()(torch.randn(3, 3, 28, 28))
    assert (output.gwa_weights is None) is not gwa
    assert (output.gnn_features is None) is not gnn
    assert output.tokens.shape[1] == (5 if gnn else 4)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("batch", [1, 2])
def test_no_nan_at_small_batches(training: bool, batch: int) -> None:
    # 42 px and a stride-1 stem leave a 6x6 map: batch norm has values to work with at batch 1.
    config = replace(TINY, stem="face", image_size=42)
    output = FERVTGNN(config).train(training)(torch.randn(batch, 3, 42, 42))
    for name in ("logits", "tokens", "gwa_weights", "graph_features", "gnn_logits"):
        assert torch.isfinite(getattr(output, name)).all()


def test_a_batch_of_three_equals_three_singles() -> None:
    model = FERVTGNN(TINY).eval()
    images = torch.randn(3, 3, 28, 28)
    together = model(images)
    for i in range(3):
        alone = model(images[i : i + 1])
        for name in ("logits", "gwa_weights", "graph_features", "tokens"):
            torch.testing.assert_close(getattr(alone, name)[0], getattr(together, name)[i])
        for one, many in zip(alone.gat_attention, together.gat_attention, strict=True):
            torch.testing.assert_close(one[0], many[i])


def _loss(model: FERVTGNN, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    output = model(images)
    return sum(
        nn.functional.cross_entropy(logits, labels)
        for logits in (output.logits, output.gwa_logits, output.gnn_logits)
    )  # type: ignore[return-value]


def test_every_parameter_gets_a_gradient_after_one_step() -> None:
    model = FERVTGNN(TINY).train()
    images, labels = torch.randn(6, 3, 28, 28), torch.arange(6)
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    for _ in range(2):
        optimizer.zero_grad()
        _loss(model, images, labels).backward()
        optimizer.step()
    # Softmax is blind to what all keys share, so the keys' third of each bias gets none.
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        gradient = parameter.grad
        if name.endswith("qkv.bias"):
            query, key, value = gradient.chunk(3)
            assert key.abs().max() < 1e-6, name
            assert query.abs().max() > 0, name
            gradient = value
        assert gradient.abs().max() > 1e-10, name


def test_one_batch_can_be_overfitted() -> None:
    model = FERVTGNN(TINY).train()
    images, labels = torch.randn(8, 3, 28, 28), torch.arange(8) % 7
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        _loss(model, images, labels).backward()
        optimizer.step()
    assert (model(images).logits.argmax(dim=1) == labels).all()


def test_interventions_replace_what_they_name() -> None:
    model = FERVTGNN(TINY).eval()
    images = torch.randn(4, 3, 28, 28)
    plain = model(images)
    even = model(images, Intervention(gwa_weights=torch.ones(7, 7)))
    torch.testing.assert_close(even.gwa_map, images)
    assert not torch.allclose(even.logits, plain.logits)
    graphless = model(images, Intervention(gnn_features=torch.zeros(24)))
    assert (graphless.gnn_features == 0).all()
    torch.testing.assert_close(graphless.tokens[:, :4], plain.tokens[:, :4])
    keep = torch.tensor([True, True, False, True, True])
    without_l2 = model(images, Intervention(keep_tokens=keep))
    assert (without_l2.transformer_attention[0][..., 2] == 0).all()
    same = model(
        images,
        Intervention(gwa_weights=plain.gwa_weights, gnn_features=plain.gnn_features),
    )
    torch.testing.assert_close(same.logits, plain.logits)


def test_levels_become_tokens_by_gwas_weights_or_evenly() -> None:
    images = torch.randn(4, 3, 28, 28)
    model = FERVTGNN(TINY).eval()
    even = FERVTGNN(replace(TINY, level_pooling="mean")).eval()
    even.load_state_dict(model.state_dict())
    by_weights, evenly = model(images), even(images)
    expected = [
        project(level.mean(dim=(2, 3))) + even.backbone.position[0, token]
        for token, (level, project) in enumerate(
            zip(even.backbone.trunk(evenly.fused_features), even.backbone.project, strict=True), 1
        )
    ]
    torch.testing.assert_close(evenly.tokens[:, 1:4], torch.stack(expected, dim=1))
    assert not torch.allclose(by_weights.tokens[:, 1:4], evenly.tokens[:, 1:4])
    for kept in ("fused_features", "gnn_features"):  # which GWA's weights go into either way
        torch.testing.assert_close(getattr(evenly, kept), getattr(by_weights, kept))
    torch.testing.assert_close(evenly.tokens[:, 0], by_weights.tokens[:, 0])


def test_training_remembers_the_mean_graph_vector() -> None:
    model = FERVTGNN(TINY).train()
    for _ in range(3):
        model(torch.randn(4, 3, 28, 28))
    remembered = model.gnn_mean.clone()
    assert remembered.abs().max() > 0
    model.eval()(torch.randn(4, 3, 28, 28))
    assert torch.equal(model.gnn_mean, remembered)


def test_imagenet_weights_survive(tmp_path: Path) -> None:
    torch.manual_seed(1)
    weights = resnet34(weights=None).state_dict()
    torch.save(weights, tmp_path / "resnet34.pth")
    model = FERVTGNN(replace(FERVTConfig(), stem="imagenet", image_size=63))
    model.backbone.trunk.load_imagenet(tmp_path / "resnet34.pth")
    for name, value in model.backbone.trunk.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_the_trunk_computes_what_torchvision_computes() -> None:
    theirs = resnet34(weights=None).eval()
    ours = FERVTGNN(replace(FERVTConfig(), stem="imagenet", image_size=63)).backbone.trunk.eval()
    weights = {k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    ours.load_state_dict(weights)
    images = torch.randn(2, 3, 63, 63)
    maps = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(images))))
    maps = theirs.layer1(maps)
    with torch.inference_mode():
        for layer, level in zip(
            (theirs.layer2, theirs.layer3, theirs.layer4), ours(images), strict=True
        ):
            maps = layer(maps)
            assert torch.equal(level, maps)


def test_imagenet_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match=r"odd\.pth"):
        FERVTGNN(TINY).backbone.trunk.load_imagenet(tmp_path / "odd.pth")


def test_imagenet_weights_that_cannot_be_read_are_not_said_to_be_unfit(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"'gone\.pth' cannot be read .*No such file"):
        FERVTGNN(TINY).backbone.trunk.load_imagenet(tmp_path / "gone.pth")
    (tmp_path / "torn.pth").write_text("torn")
    with pytest.raises(CheckpointError, match=r"'torn\.pth' are damaged"):
        FERVTGNN(TINY).backbone.trunk.load_imagenet(tmp_path / "torn.pth")


def test_full_size_stays_within_its_budget() -> None:
    model = FERVTGNN(FERVTConfig())
    trunk = sum(p.numel() for p in model.backbone.trunk.parameters())
    rest = sum(p.numel() for p in model.parameters()) - trunk
    assert 21.2e6 < trunk < 21.4e6
    assert rest < 3.6e6


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"image_size": 50}, "multiple of 7"),
        ({"stem": "none"}, "stem"),
        ({"vocabulary": "klingon"}, "klingon"),
        ({"embed_dim": 30, "heads": 4}, "multiple of heads"),
        ({"dropout": 1.0}, "dropout"),
        ({"width": 15}, "width must be at least 16: .* corrupt memory"),
        ({"width": 257}, "width .* from 16 to 256"),
        ({"depth": 4096}, "1 to 24"),
        ({"use_gnn": 1}, "use_gnn"),
    ],
)
def test_impossible_configurations_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        replace(TINY, **change)
