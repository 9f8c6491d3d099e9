"""GWA is taught which cells an answer rests on."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from fervt.errors import ConfigError
from fervt.training.loop import Trainer
from fervt.training.losses import relevance_loss
from fervt.training.relevance import cost_of_hiding, draw_cells, mean_of_both, with_mirrored
from fervt.training.settings import TrainConfig

POINTING = replace(
    tiny.CONFIG, gwa_embedding="convolutional", gwa_dim=32, dropout=0.0, token_dropout=0.0
)
FAST = TrainConfig(epochs=1, batch_size=16, amp="off", ema_decay=0.0, distill_weight=0.5)
CPU = torch.device("cpu")


class Mouth:
    """A teacher whose answer rests on two cells of each face."""

    def answer(self, images):
        cells = torch.nn.functional.avg_pool2d(images, images.shape[-1] // 7).mean(dim=1)
        odds = cells[:, 5, 2] + cells[:, 5, 3]
        return torch.stack([odds, 2 - odds], dim=1) / 2


def test_as_many_cells_are_hidden_on_every_face():
    torch.manual_seed(0)
    counts = set()
    for _ in range(30):
        hidden = draw_cells(6, CPU).flatten(1).sum(dim=1)
        assert len(hidden.unique()) == 1
        counts.add(int(hidden[0]))
    assert min(counts) >= 5 and max(counts) <= 35 and len(counts) > 10
    torch.manual_seed(1)
    first, second = draw_cells(2, CPU)
    assert not torch.equal(first, second)


def test_the_cost_is_that_of_the_cells_the_answer_rests_on():
    images = torch.ones(3, 3, 28, 28)
    hidden = torch.zeros(3, 7, 7, dtype=torch.bool)
    hidden[0, 5, 2:4] = True
    hidden[1, 5, 2] = True
    hidden[2, 0] = True
    costs = cost_of_hiding(Mouth(), images, hidden, Mouth().answer(images))
    torch.testing.assert_close(costs, torch.tensor([1.0, 0.5, 0.0]))


def test_scores_of_the_right_cells_lose_least():
    torch.manual_seed(0)
    images = torch.ones(400, 3, 28, 28)
    hidden = draw_cells(400, CPU)
    drops = cost_of_hiding(Mouth(), images, hidden, Mouth().answer(images))
    right = torch.zeros(400, 7, 7)
    right[:, 5, 2:4] = 1
    elsewhere = right.roll(3, dims=1)
    lost = float(relevance_loss(right, hidden, drops))
    assert lost == pytest.approx(0, abs=1e-5)  # a higher scale does not matter
    assert float(relevance_loss(5 * right - 2, hidden, drops)) == pytest.approx(0, abs=1e-5)
    assert float(relevance_loss(elsewhere, hidden, drops)) > 0.8
    assert float(relevance_loss(-right, hidden, drops)) > 1.9
    flat = torch.zeros(400, 7, 7, requires_grad=True)
    loss = relevance_loss(flat, hidden, drops)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(1) and torch.isfinite(flat.grad).all()


def test_a_mirrored_faces_scores_are_mirrored_back():
    torch.manual_seed(0)
    images = torch.randn(2, 3, 28, 28)
    both = with_mirrored(images)
    assert torch.equal(both[2:], images.flip(3))
    scores = torch.nn.functional.avg_pool2d(both, 4).mean(dim=1)
    torch.testing.assert_close(mean_of_both(scores), scores[:2])


def test_it_is_asked_for_though_an_epoch_has_a_single_step(tmp_path: Path) -> None:
    data = tiny.tiny_data()
    config = replace(FAST, epochs=2, batch_size=48, relevance_weight=1.0)
    trainer = Trainer(data, tmp_path, POINTING, config, distill=tiny.save_tiny(tmp_path))
    asked = []
    answer = trainer.teacher.answer
    trainer.teacher.answer = lambda images: asked.append(1) or answer(images)
    assert trainer.steps == 1 and trainer.run().finished  # of 84 faces
    assert len(asked) == 3  # once for the views of each epoch, once with cells hidden


def test_it_needs_a_teacher(tmp_path: Path) -> None:
    data, config = tiny.tiny_data(), replace(FAST, relevance_weight=1.0)
    with pytest.raises(ConfigError, match="relevance_weight needs --distill"):
        Trainer(data, tmp_path, POINTING, replace(config, distill_weight=0.0))
