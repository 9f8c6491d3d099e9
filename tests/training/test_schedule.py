"""The learning rate's schedules, and a run that gets another end while its rate is held."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from fervt.errors import ConfigError
from fervt.training.distributed import use_bfloat16
from fervt.training.loop import Trainer
from fervt.training.optimization import learning_rate
from fervt.training.settings import TrainConfig
from fervt.training.state import read_state

HELD = TrainConfig(
    epochs=4, batch_size=16, warmup_epochs=0.5, amp="off", ema_decay=0.9, schedule="wsd",
    decay_epochs=1.0,
)  # fmt: skip


def test_wsd_holds_the_rate_and_decays_once() -> None:
    config = TrainConfig(epochs=20, lr=0.1, warmup_epochs=2, schedule="wsd", decay_epochs=5)
    rates = [learning_rate(config, done) for done in (0, 1, 2, 9, 15, 17.5, 20, 21)]
    assert rates == pytest.approx([0, 0.05, 0.1, 0.1, 0.1, 0.05, 0, 0])


def test_a_run_is_lengthened_while_its_rate_is_held(tmp_path: Path) -> None:
    data = tiny.tiny_data()
    whole = Trainer(data, tmp_path / "whole", tiny.CONFIG, HELD)
    assert whole.run().finished
    longer = Trainer(data, tmp_path / "parts", tiny.CONFIG, replace(HELD, epochs=9))
    assert not longer.run(max_minutes=0).finished
    shorter = Trainer(data, tmp_path / "parts", tiny.CONFIG, HELD)
    assert shorter.run(resume=True).finished
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, shorter.model.state_dict()[name]), name


@pytest.mark.parametrize(
    "changes", [{"epochs": 9, "lr": 1e-3}, {"epochs": 9, "schedule": "cosine"}, {"epochs": 1}]
)
def test_nothing_else_may_change(tmp_path: Path, changes: dict) -> None:
    data = tiny.tiny_data()
    Trainer(data, tmp_path, tiny.CONFIG, HELD).run(max_minutes=0)
    with pytest.raises(ConfigError, match="different train settings"):
        Trainer(data, tmp_path, tiny.CONFIG, replace(HELD, **changes)).run(resume=True)


def test_a_run_from_before_an_option_was_there_goes_on(tmp_path: Path) -> None:
    data = tiny.tiny_data()
    trainer = Trainer(data, tmp_path, tiny.CONFIG, HELD)
    assert not trainer.run(max_minutes=0).finished
    state = torch.load(trainer.state_path, weights_only=True)
    del state["settings"]["train"]["relevance_weight"]
    torch.save(state, trainer.state_path)
    assert Trainer(data, tmp_path, tiny.CONFIG, HELD).run(resume=True).finished


def test_a_rate_that_falls_already_has_its_end(tmp_path: Path) -> None:
    data = tiny.tiny_data()
    assert Trainer(data, tmp_path, tiny.CONFIG, HELD).run().finished
    with pytest.raises(ConfigError, match="different train settings"):
        Trainer(data, tmp_path, tiny.CONFIG, replace(HELD, epochs=9)).run(resume=True)


def test_a_rate_that_may_have_begun_to_fall_within_an_epoch_has_its_end(tmp_path: Path) -> None:
    data, config = tiny.tiny_data(), replace(HELD, decay_epochs=3.5)  # it falls within the first
    trainer = Trainer(data, tmp_path, tiny.CONFIG, config)
    assert not trainer.run(max_minutes=0).finished
    with pytest.raises(ConfigError, match="different train settings"):
        Trainer(data, tmp_path, tiny.CONFIG, replace(config, epochs=9)).run(resume=True)
    assert Trainer(data, tmp_path, tiny.CONFIG, config).run(resume=True).finished


def test_a_state_that_cannot_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    trainer = Trainer(tiny.tiny_data(), tmp_path, tiny.CONFIG, HELD)
    trainer.state_path.mkdir()
    with pytest.raises(ConfigError, match=r"state\.pt' cannot be read: Is a directory\.$"):
        read_state(trainer.state_path, 0, 1)
    trainer.state_path.rmdir()
    trainer.state_path.write_text("no state")
    with pytest.raises(ConfigError, match="damaged"):
        read_state(trainer.state_path, 0, 1)


def test_bfloat16_follows_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for computes in (True, False):
        monkeypatch.setattr(
            torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda answer=computes: answer
        )
        assert use_bfloat16("auto", cpu) is computes
        assert use_bfloat16("on", cpu) and not use_bfloat16("off", cpu)
