"""A GWA that points: its scores follow a moved window, and training asks for it."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from fervt.data.transforms import Augment, Preprocess
from fervt.model import FERVTGNN
from fervt.training.loop import Trainer
from fervt.training.losses import equivariance_loss
from fervt.training.settings import TrainConfig

POINTING = replace(tiny.CONFIG, gwa_embedding="convolutional")
FAST = TrainConfig(epochs=1, batch_size=16, warmup_epochs=0.5, amp="off", ema_decay=0.9)
STILL = Augment(0.0, 0.0, 0.0, 0.0, False, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("right", "down"), [(1, 0), (-2, 0), (0, 1), (0, -2), (2, -1), (-1, 2)])
def test_scores_that_follow_the_face_lose_nothing(right: int, down: int) -> None:
    torch.manual_seed(0)
    world = torch.randn(3, 11, 11)  # the faces' true scores, wider than a window
    window = world[:, 2:9, 2:9]
    moved = world[:, 2 + down : 9 + down, 2 + right : 9 + right]
    assert float(equivariance_loss(window, moved, right, down)) == pytest.approx(0, abs=1e-6)
    # A higher scale does not matter, the place does.
    assert float(equivariance_loss(window, 3 * moved + 1, right, down)) == pytest.approx(
        0, abs=1e-6
    )
    assert float(equivariance_loss(window, window, right, down)) > 0.5
    assert float(equivariance_loss(window, moved, -right, -down)) > 0.5


def test_alike_scores_are_no_way_out() -> None:
    torch.manual_seed(0)
    flat = torch.zeros(2, 7, 7)
    assert float(equivariance_loss(flat, flat, 1, 0)) == pytest.approx(1)


def test_moved_windows_see_the_same_pixels_elsewhere() -> None:
    torch.manual_seed(3)
    faces = torch.randint(0, 256, (4, 48, 48), dtype=torch.uint8)
    preprocess = Preprocess(28, 0.4, 0.25, crop=28 / 48)  # one input pixel is one face pixel
    seen = set()
    for _ in range(8):
        both, (right, down) = STILL.moved_windows(faces, preprocess)
        seen.add((right, down))
        window, moved = both.chunk(2)
        x, y = 4 * right, 4 * down  # a cell of 28 pixels' grid is 4 pixels wide
        rows = slice(max(y, 0), 28 + min(y, 0)), slice(max(-y, 0), 28 - max(y, 0))
        columns = slice(max(x, 0), 28 + min(x, 0)), slice(max(-x, 0), 28 - max(x, 0))
        expected, found = window[:, :, rows[0], columns[0]], moved[:, :, rows[1], columns[1]]
        assert torch.allclose(expected, found, atol=1e-5)
    assert len(seen) > 3 and (0, 0) not in seen


@pytest.mark.parametrize("embedding", ["patch", "convolutional"])
@pytest.mark.parametrize("size", [14, 28, 42, 49])
def test_scores_have_a_cell_each_at_every_size(embedding: str, size: int) -> None:
    config = replace(tiny.CONFIG, gwa_embedding=embedding, image_size=size)
    gwa = FERVTGNN(config).gwa.eval()
    images = torch.randn(2, 3, size, size)
    assert gwa.scores(images).shape == (2, 7, 7)
    means = gwa(images)[2].mean(dim=(1, 2)).tolist()
    assert means == pytest.approx([1, 1], abs=1e-4)


def test_a_key_does_not_know_its_place() -> None:
    torch.manual_seed(0)
    gwa = FERVTGNN(POINTING).gwa.eval()
    with torch.no_grad():
        for layer in (gwa.context.attention.project, gwa.context.feed_forward.contract):
            layer.weight.zero_()  # nothing is gathered from other cells
            layer.bias.zero_()
    images = torch.randn(2, 3, 28, 28)
    before = gwa.scores(images)
    with torch.no_grad():
        gwa.position.normal_()
    assert torch.allclose(before, gwa.scores(images), atol=1e-5)


def test_training_asks_for_it_and_every_part_of_gwa_learns(tmp_path: Path) -> None:
    data = tiny.tiny_data()
    config = replace(FAST, equivariance_weight=0.6)
    trainer = Trainer(data, tmp_path / "with", POINTING, config)
    before = {name: value.clone() for name, value in trainer.model.gwa.named_parameters()}
    assert trainer.run().finished
    for name, value in trainer.model.gwa.named_parameters():
        assert not torch.equal(before[name], value), name
    without = Trainer(data, tmp_path / "without", POINTING, FAST)
    without.run()
    key = trainer.model.gwa.key.weight
    assert not torch.equal(key, without.model.gwa.key.weight)
