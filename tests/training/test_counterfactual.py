"""The answer is taught to need a face's own cell weights."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from fervt.errors import ConfigError
from fervt.model import FERVTGNN, Intervention
from fervt.training.loop import Trainer
from fervt.training.losses import counterfactual_loss
from fervt.training.readouts import ReadOuts
from fervt.training.settings import TrainConfig

POINTING = replace(
    tiny.CONFIG, gwa_embedding="convolutional", gwa_dim=32, dropout=0.0, token_dropout=0.0
)
FAST = TrainConfig(epochs=1, batch_size=16, amp="off", ema_decay=0.0)


def test_only_what_the_weights_change_counts():
    targets = torch.eye(3)
    right, none = 4 * torch.eye(3), torch.zeros(3, 3)
    assert float(counterfactual_loss(right, right, targets)) == pytest.approx(math.log(3))
    assert float(counterfactual_loss(right, none, targets)) < 0.05
    assert float(counterfactual_loss(right, 2 * right, targets)) > 3
    more = right + torch.tensor([5.0, -2.0, 0.0])  # in both
    same = counterfactual_loss(more, more - right, targets)
    torch.testing.assert_close(same, counterfactual_loss(right, none, targets))


def test_each_face_is_classified_with_the_weights_of_another() -> None:
    torch.manual_seed(0)
    model = FERVTGNN(POINTING).eval()
    images = torch.randn(3, 3, 28, 28)
    answers = ReadOuts(model, votes=False)(images, swap=True)
    for face, other in ((0, 2), (1, 0), (2, 1)):
        weights = Intervention(gwa_weights=answers.output.gwa_weights[other])
        expected = model(images[face : face + 1], weights).logits[0]
        torch.testing.assert_close(answers.swapped[face], expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(answers.swapped, answers.output.logits, atol=1e-5)
    assert ReadOuts(model, votes=False)(images).swapped is None


def test_the_weights_of_others_neither_learn_from_it_nor_count_as_the_graphs_mean() -> None:
    torch.manual_seed(0)
    images = torch.randn(4, 3, 28, 28)
    model = FERVTGNN(POINTING).train()
    ReadOuts(model, votes=False)(images)
    before = model.gnn_mean.clone()
    model.gnn_mean.zero_()
    swapped = ReadOuts(model, votes=False)(images, swap=True).swapped
    torch.testing.assert_close(model.gnn_mean, before)
    swapped.sum().backward()
    assert model.gwa.query.grad is None and model.gwa.key.weight.grad is None


def test_training_asks_for_it_as_much_as_it_weighs(tmp_path: Path) -> None:
    """Same draws, no dropout: nothing but the weight of the loss differs."""
    data = tiny.tiny_data()

    def learn(name: str, weight: float) -> torch.Tensor:
        config = replace(FAST, counterfactual_weight=weight)
        trainer = Trainer(data, tmp_path / name, POINTING, config)
        assert trainer.run().finished
        return trainer.model.gwa.key.weight.detach()

    taught, again, hardly = learn("taught", 1.0), learn("again", 1.0), learn("hardly", 1e-3)
    assert torch.equal(taught, again)
    assert (taught - hardly).abs().max() > 1e-4


def test_it_needs_gwa(tmp_path: Path) -> None:
    config = replace(FAST, counterfactual_weight=0.25)
    with pytest.raises(ConfigError, match="counterfactual_weight needs a model with GWA"):
        Trainer(tiny.tiny_data(), tmp_path, replace(tiny.CONFIG, use_gwa=False), config)
