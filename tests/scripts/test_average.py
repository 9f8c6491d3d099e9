"""The mean of checkpoints' weights, as the script writes it."""

import sys
from dataclasses import replace

import pytest
import tiny
import torch

from fervt.checkpoint import load_checkpoint, save_checkpoint
from fervt.data.prepared import write_prepared
from fervt.errors import ConfigError
from scripts.average import main


def test_weights_are_averaged_and_calibrated(tmp_path, monkeypatch, capsys) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    parts = [tiny.save_tiny(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    out = tmp_path / "mean.safetensors"
    words = ["average", "--data", str(tmp_path / "data.parquet"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*words, f"{parts[0]}=3", f"{parts[1]}=1"])
    assert main() == 0
    assert "(n = 42)" in capsys.readouterr().out
    model, info = load_checkpoint(out)
    one, two = (load_checkpoint(path)[0].state_dict() for path in parts)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            expected = 0.75 * one[name] + 0.25 * two[name]
            torch.testing.assert_close(value, expected, atol=2e-3, rtol=2e-3)
    assert list(info.training["averaged"].values()) == [0.75, 0.25]
    assert info.temperature != 1


@pytest.mark.parametrize(
    ("option", "change"),
    [
        (("--level-pooling", "mean"), {"level_pooling": "mean"}),
        (("--gwa-focus", "0.6"), {"gwa_focus": 0.6}),
    ],
)
def test_the_mean_can_use_its_weights_otherwise(tmp_path, monkeypatch, option, change) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    first, out = tiny.save_tiny(tmp_path), tmp_path / "mean.safetensors"
    words = ["average", "--data", str(tmp_path / "data.parquet"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*words, *option, f"{first}=1"])
    assert main() == 0
    (old, before), (model, info) = (load_checkpoint(path) for path in (first, out))
    assert info.config == replace(before.config, **change)
    for name, value in old.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, atol=2e-3, rtol=2e-3)


def test_the_mean_can_see_another_crop(tmp_path, monkeypatch) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    first, out = tiny.save_tiny(tmp_path), tmp_path / "mean.safetensors"
    words = ["average", "--data", str(tmp_path / "data.parquet"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*words, "--crop", "0.8", f"{first}=1"])
    assert main() == 0
    before, after = (load_checkpoint(path)[1] for path in (first, out))
    assert after.preprocess == replace(before.preprocess, crop=0.8)
    out.unlink()
    monkeypatch.setattr(sys, "argv", [*words, "--crop", "1.2", f"{first}=1"])
    with pytest.raises(ConfigError, match="crop"):
        main()
    assert not out.exists()


def test_label_sets_add_up_and_other_inputs_are_refused(tmp_path, monkeypatch) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    first = tiny.save_tiny(tmp_path / "1.safetensors", 1)
    model, info = load_checkpoint(tiny.save_tiny(tmp_path / "2.safetensors", 2))
    save_checkpoint(tmp_path / "2.safetensors", model, replace(info, labels_seen=("ferplus",)))
    out = tmp_path / "mean.safetensors"
    words = ["average", "--data", str(tmp_path / "data.parquet"), "--out", str(out)]
    words += [f"{first}=1", f"{tmp_path / '2.safetensors'}=1"]
    monkeypatch.setattr(sys, "argv", words)
    assert main() == 0
    assert load_checkpoint(out)[1].labels_seen == ("fer2013", "ferplus")
    other = replace(info, preprocess=replace(info.preprocess, mean=0.9))
    save_checkpoint(tmp_path / "2.safetensors", model, other)
    with pytest.raises(ConfigError, match="a different configuration"):
        main()


def test_other_kinds_are_refused(tmp_path, monkeypatch) -> None:
    first = tiny.save_tiny(tmp_path)
    words = ["average", "--data", "none", "--out", str(tmp_path / "mean.safetensors")]
    monkeypatch.setattr(
        sys, "argv", [*words, f"{first}=1", "assets/checkpoints/ablation.safetensors=1"]
    )
    with pytest.raises(ConfigError, match="a different configuration"):
        main()
