"""What training asks of GWA and the graph beside the labels, in turns."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from fervt.data.transforms import Augment, Preprocess
from fervt.errors import ConfigError
from fervt.training.lessons import draw_lesson
from fervt.training.loop import Trainer
from fervt.training.settings import TrainConfig

POINTING = replace(
    tiny.CONFIG, gwa_embedding="convolutional", gwa_dim=32, dropout=0.0, token_dropout=0.0
)
FAST = TrainConfig(epochs=1, batch_size=16, amp="off", ema_decay=0.0)
NAMES = ("equivariance_weight", "relevance_weight", "counterfactual_weight", "graph_weight")


def needs(name: str, tmp_path: Path) -> tuple[TrainConfig, Path | None]:
    """The rest that a loss needs: the relevance loss a teacher."""
    if name != "relevance_weight":
        return FAST, None
    return replace(FAST, distill_weight=0.5), tiny.save_tiny(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_training_asks_for_it_as_much_as_it_weighs(tmp_path: Path, name: str) -> None:
    """Same draws, no dropout: nothing but the weight of the loss differs."""
    data, (config, teacher) = tiny.tiny_data(), needs(name, tmp_path)

    def learn(folder: str, weight: float) -> torch.Tensor:
        settings = replace(config, **{name: weight})
        trainer = Trainer(data, tmp_path / folder, POINTING, settings, distill=teacher)
        assert trainer.run().finished
        return trainer.model.gwa.key.weight.detach()

    taught, again, hardly = learn("taught", 1.0), learn("again", 1.0), learn("hardly", 1e-3)
    assert torch.equal(taught, again)
    assert (taught - hardly).abs().max() > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_it_needs_the_part_it_asks(tmp_path: Path, name: str) -> None:
    config, teacher = needs(name, tmp_path)
    part = "GNN" if name == "graph_weight" else "GWA"
    bare = replace(tiny.CONFIG, **{f"use_{part.lower()}": False})
    with pytest.raises(ConfigError, match=f"{name} needs a model with (a )?{part}"):
        Trainer(tiny.tiny_data(), tmp_path, bare, replace(config, **{name: 0.5}), distill=teacher)


def test_steps_ask_in_turns() -> None:
    faces, images = torch.zeros(2, 48, 48, dtype=torch.uint8), torch.zeros(2, 3, 28, 28)

    def asked(step: int, *names: str) -> set[str]:
        config = replace(FAST, **dict.fromkeys(names, 0.5))
        lesson = draw_lesson(step, config, faces, images, Augment(), Preprocess(28, 0.4, 0.25))
        found = {"windows": lesson.windows, "move": lesson.move, "hidden": lesson.hidden}
        asks = {"swap": lesson.swap, "neutralize": lesson.neutralize}
        return {key for key, value in found.items() if value is not None} | {
            key for key, value in asks.items() if value
        }

    assert asked(0, *NAMES) == asked(2, NAMES[0]) == {"windows", "move"}
    assert asked(1, *NAMES) == {"windows", "hidden", "swap", "neutralize"}
    assert asked(3, "counterfactual_weight") == {"swap"}
    assert asked(3, "graph_weight") == {"neutralize"}
    assert asked(3, "relevance_weight") == {"windows", "hidden"}
    assert asked(0) == asked(1) == asked(1, NAMES[0]) == asked(0, *NAMES[1:]) == set()
