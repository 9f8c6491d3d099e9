"""Training only the transformer, as the script does it."""

import sys
from dataclasses import replace

import pytest
import tiny
import torch

from fervt.checkpoint import load_checkpoint
from fervt.data.prepared import write_prepared
from fervt.errors import ConfigError
from fervt.files import file_sha256
from fervt.training.faces import gather
from fervt.training.losses import counterfactual_loss
from fervt.training.readouts import without_graph
from fervt.training.settings import TrainConfig
from scripts.refit_transformer import Seen, SeenPartly, draw_hidden, look_at_a_part, main, train


def _run(monkeypatch, folder, first, *more: str):
    out = folder / "refit.safetensors"
    words = ["refit_transformer", "--data", str(folder / "data.parquet"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*words, "--checkpoint", str(first), *more])
    assert main() == 0
    return load_checkpoint(out)


def _train(vta, seen: Seen, mean: torch.Tensor, **weights: float) -> torch.nn.Module:
    partly = SeenPartly(seen.tokens[:64], seen.targets[:64])
    weights = {"graph_weight": 0.0, "hidden_weight": 0.0} | weights
    classes = torch.ones(seen.targets.shape[1])
    return train(vta, seen, partly, mean, classes, lr=0.02, **weights)


def test_only_the_transformer_changes(tmp_path, monkeypatch) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    first = tiny.save_tiny(tmp_path, temperature=1.5)
    before, old = load_checkpoint(first)
    after, info = _run(monkeypatch, tmp_path, first, "--views", "2", "--lr", "0.01")
    kept, changed = before.state_dict(), after.state_dict()
    apart = {name for name, value in kept.items() if not torch.equal(value, changed[name])}
    assert {name.split(".")[0] for name in apart} == {"vta", "gnn_mean"}
    assert (info.config, info.preprocess) == (old.config, old.preprocess)
    assert (info.temperature, info.metrics) == (1.0, {})  # its parent's would be wrong
    assert info.parent == file_sha256(first)
    assert info.training["refit_transformer"]["views"] == 2


def test_it_can_be_repeated(tmp_path, monkeypatch) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    first = tiny.save_tiny(tmp_path)
    runs = [_run(monkeypatch, tmp_path, first, "--views", "1")[0] for _ in range(2)]
    for one, other in zip(*(run.state_dict().values() for run in runs), strict=True):
        assert torch.equal(one, other)


def test_the_answer_comes_to_rest_on_the_graph(tmp_path) -> None:
    torch.manual_seed(0)
    model, _ = load_checkpoint(tiny.save_tiny(tmp_path))
    dim, classes = model.config.embed_dim, len(model.config.classes)
    labels = torch.randint(classes, (4096,))
    vectors = 2 * torch.nn.functional.one_hot(labels, dim).float()
    tokens = torch.randn(len(labels), 5, dim)
    tokens[:, -1] = vectors
    targets = torch.nn.functional.one_hot(labels, classes).float()
    mean = vectors.mean(dim=0)

    def graph_loss() -> float:
        graphless = without_graph(tokens, vectors, mean)
        with torch.no_grad():
            both = [model.vta.eval()(t)[0] for t in (tokens, graphless)]
        return float(counterfactual_loss(*both, targets))

    before = graph_loss()
    seen = Seen(tokens.half(), vectors.half(), targets, torch.ones(len(labels)))
    model.vta = _train(model.vta, seen, mean, graph_weight=1)
    assert graph_loss() < before - 0.2


def test_nothing_is_asked_of_a_graph_that_finds_nothing(tmp_path) -> None:
    states = []
    for weight in (0.0, 5.0):
        torch.manual_seed(0)
        model, _ = load_checkpoint(tiny.save_tiny(tmp_path))
        dim, classes = model.config.embed_dim, len(model.config.classes)
        targets = torch.nn.functional.one_hot(torch.randint(classes, (512,)), classes).float()
        tokens, vectors = torch.randn(512, 5, dim), torch.randn(512, dim)
        seen = Seen(tokens, vectors, targets, torch.zeros(512))
        mean = vectors.mean(dim=0)
        states.append(_train(model.vta, seen, mean, graph_weight=weight).state_dict())
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name])


def test_faces_with_hidden_cells_are_answered_as_before(tmp_path) -> None:
    def loss_on_hidden(weight: float) -> float:
        torch.manual_seed(0)
        model, _ = load_checkpoint(tiny.save_tiny(tmp_path))
        dim, classes = model.config.embed_dim, len(model.config.classes)
        targets = torch.nn.functional.one_hot(torch.randint(classes, (2048,)), classes).float()
        tokens, vectors = torch.randn(2048, 5, dim), torch.randn(2048, dim)
        seen = Seen(tokens, vectors, targets, torch.zeros(2048))
        answers = torch.nn.functional.one_hot(torch.zeros(64, dtype=int), classes).float()
        partly = SeenPartly(3 + torch.randn(64, 5, dim), answers)
        losses = {"graph_weight": 0.0, "hidden_weight": weight}
        mean, classes = vectors.mean(dim=0), torch.ones(classes)
        vta = train(model.vta, seen, partly, mean, classes, lr=0.02, **losses).eval()
        with torch.no_grad():
            return float(torch.nn.functional.cross_entropy(vta(partly.tokens)[0], answers))

    assert loss_on_hidden(2.0) < 0.6 < 1.5 < loss_on_hidden(0.0)


def test_cells_are_hidden_as_deletion_and_insertion_do() -> None:
    torch.manual_seed(0)
    weights = torch.rand(600, 7, 7) + 3 * torch.rand(7, 7)  # a mean map, and each face's own part
    hidden = draw_hidden(weights).flatten(1)
    assert set(hidden.sum(dim=1).tolist()) == set(range(7, 49, 7))
    own, mean = weights.flatten(1), weights.mean(dim=0).flatten().expand(600, -1)

    def first(order: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Whether the chosen cells are the first ones of an order."""
        lowest = torch.where(chosen, order, torch.inf).amin(dim=1)
        return lowest > torch.where(chosen, -torch.inf, order).amax(dim=1)

    for order in (own, mean):  # each is drawn for a third of the faces, and shown in 65% of them
        assert 95 < int(first(order, ~hidden).sum()) < 165
        assert 45 < int(first(order, hidden).sum()) < 95
    either = torch.stack([first(o, c) for o in (own, mean) for c in (hidden, ~hidden)]).any(dim=0)
    assert 150 < int((~either).sum()) < 250  # a random order


def test_what_is_kept_is_the_answer_to_faces_with_hidden_cells(tmp_path, monkeypatch) -> None:
    model, _ = load_checkpoint(tiny.save_tiny(tmp_path))
    shown = []

    def run(images: torch.Tensor):
        shown.append(images)
        return model(images)

    fit = gather(tiny.tiny_data(), model.config, TrainConfig())
    monkeypatch.setattr("scripts.refit_transformer.use_bfloat16", lambda *_: False)
    partly = look_at_a_part(model, run, fit)
    assert len(partly.tokens) == len(partly.answers) == len(fit.faces)
    gray = torch.cat(shown).abs().amax(dim=1) == 0
    assert 0.1 < float(gray.float().mean()) < 0.9  # hidden cells have the mean gray, which is 0
    with torch.no_grad():
        answers = model(torch.cat(shown)).logits.softmax(dim=1)
    torch.testing.assert_close(partly.answers, answers, atol=1e-5, rtol=1e-4)


def test_what_lacks_a_part_is_refused(tmp_path, monkeypatch) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    for part in ("use_gnn", "use_gwa"):
        without = tiny.save_tiny(tmp_path, config=replace(tiny.CONFIG, **{part: False}))
        with pytest.raises(ConfigError, match="lacks GWA or a graph"):
            _run(monkeypatch, tmp_path, without)
    with pytest.raises(ConfigError, match="at least one view"):
        _run(monkeypatch, tmp_path, tiny.save_tiny(tmp_path / "1.safetensors"), "--views", "0")
    for words, said in (
        (("--lr", "nan"), "--lr must be above 0"),
        (("--graph-weight", "-1"), "must be at least 0"),
        (("--hidden-weight", "inf"), "must be at least 0"),
    ):
        with pytest.raises(ConfigError, match=said):
            _run(monkeypatch, tmp_path, tmp_path / "1.safetensors", *words)
