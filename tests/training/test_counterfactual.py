"""The answer is taught to need a face's own cell weights and the graph."""

import math
from dataclasses import replace

import pytest
import tiny
import torch

from fervt.model import FERVTGNN, Intervention
from fervt.training.losses import counterfactual_loss
from fervt.training.readouts import ReadOuts

POINTING = replace(
    tiny.CONFIG, gwa_embedding="convolutional", gwa_dim=32, dropout=0.0, token_dropout=0.0
)


def test_only_what_changes_counts() -> None:
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


def test_each_face_is_classified_without_what_the_graph_says() -> None:
    torch.manual_seed(0)
    model = FERVTGNN(POINTING).eval()
    model.gnn_mean.normal_()
    images = torch.randn(3, 3, 28, 28)
    answers = ReadOuts(model, votes=False)(images, neutralize=True)
    expected = model(images, Intervention(gnn_features=model.gnn_mean)).logits
    torch.testing.assert_close(answers.graphless, expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(answers.graphless, answers.output.logits, atol=1e-5)
    assert answers.swapped is None
    assert ReadOuts(model, votes=False)(images).graphless is None


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
