"""Everything but GWA learns, so its maps stay as they are."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from fervt.checkpoint import load_checkpoint
from fervt.errors import ConfigError
from fervt.training.loop import Trainer
from fervt.training.settings import TrainConfig

POINTING = replace(tiny.CONFIG, gwa_embedding="convolutional")
FROZEN = TrainConfig(
    epochs=1,
    batch_size=16,
    warmup_epochs=0.5,
    amp="off",
    ema_decay=0.9,
    counterfactual_weight=0.1,
    freeze_gwa=True,
)


def test_only_gwa_stays(tmp_path: Path) -> None:
    first = tiny.save_tiny(tmp_path, config=POINTING)
    result = Trainer(tiny.tiny_data(), tmp_path / "run", POINTING, FROZEN, init=first).run()
    assert result.best is not None
    before, after = (load_checkpoint(f)[0].state_dict() for f in (first, result.best))
    same = {name for name, value in before.items() if torch.equal(value, after[name])}
    of_gwa = {name for name in before if name.startswith("gwa.")}
    assert any("running_mean" in name for name in of_gwa)
    assert of_gwa <= same
    learned = {name.split(".")[0] for name in before.keys() - same}
    assert {"gwa_head", "fusion", "graph", "gnn", "backbone", "vta"} <= learned


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    data, first = tiny.tiny_data(), tiny.save_tiny(tmp_path, config=POINTING)
    with pytest.raises(ConfigError, match="freeze_gwa needs --init"):
        Trainer(data, tmp_path / "run", POINTING, FROZEN)
    for name in ("equivariance_weight", "relevance_weight"):
        config = replace(FROZEN, **{name: 0.5})
        with pytest.raises(ConfigError, match="have nothing to teach"):
            Trainer(data, tmp_path / "run", POINTING, config, init=first)
    for name, value in (("gwa_embedding", "patch"), ("gwa_focus", 0.2), ("image_size", 35)):
        other = replace(POINTING, **{name: value})
        with pytest.raises(ConfigError, match=f"but {name} is {value} here"):
            Trainer(data, tmp_path / "run", other, FROZEN, init=first)
    without = replace(POINTING, use_gwa=False)
    config = replace(FROZEN, counterfactual_weight=0.0)
    with pytest.raises(ConfigError, match="freeze_gwa needs a model with GWA"):
        Trainer(data, tmp_path / "run", without, config, init=first)
    blind = tiny.save_tiny(tmp_path / "blind.safetensors", config=without)
    with pytest.raises(ConfigError, match="but use_gwa is True here and False there"):
        Trainer(data, tmp_path / "run", POINTING, config, init=blind)
    with pytest.raises(ConfigError, match=r"but crop is 0\.8 here"):
        Trainer(data, tmp_path / "run", POINTING, replace(config, crop=0.8), init=first)
