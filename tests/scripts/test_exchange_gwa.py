"""A checkpoint with another's GWA looks where the other looks, and keeps the rest."""

import sys
from dataclasses import replace

import pytest
import tiny
import torch

from fervt.checkpoint import load_checkpoint, save_checkpoint
from fervt.errors import ConfigError
from fervt.files import file_sha256
from scripts.exchange_gwa import exchange, main


def test_only_gwa_is_exchanged(tmp_path) -> None:
    kept = tiny.save_tiny(tmp_path / "kept.safetensors")
    settings = {"gwa_embedding": "convolutional", "gwa_focus": 0.3, "gwa_heads": 4}
    config = replace(tiny.CONFIG, width=20, **settings)
    donor = tiny.save_tiny(tmp_path / "donor.safetensors", seed=1, config=config)
    model, its = load_checkpoint(donor)
    save_checkpoint(donor, model, replace(its, labels_seen=("ferplus",)))
    exchange(kept, donor, tmp_path / "mixed.safetensors")
    mixed, info = load_checkpoint(tmp_path / "mixed.safetensors")
    before, giver = load_checkpoint(kept)[0], load_checkpoint(donor)[0]
    assert info.config == replace(tiny.CONFIG, **settings)
    assert info.labels_seen == ("fer2013", "ferplus")
    assert info.parent == file_sha256(kept)
    assert info.description == "kept with the GWA of donor, not trained since"
    images = torch.randn(3, 3, 28, 28)
    with torch.inference_mode():
        looks, gave, were = (model(images).gwa_weights for model in (mixed, giver, before))
    torch.testing.assert_close(looks, gave)
    assert (looks - were).abs().max() > 0.1
    for name, value in before.state_dict().items():
        if not name.startswith("gwa."):
            torch.testing.assert_close(mixed.state_dict()[name], value)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [(replace(tiny.CONFIG, gwa_dim=16), "does not fit"),
     (replace(tiny.CONFIG, use_gwa=False, graph_pooling="mean"), "need GWA")],
)  # fmt: skip
def test_a_gwa_of_another_network_is_refused(tmp_path, monkeypatch, config, sentence) -> None:
    kept = tiny.save_tiny(tmp_path / "kept.safetensors")
    donor = tiny.save_tiny(tmp_path / "donor.safetensors", config=config)
    out = tmp_path / "mixed.safetensors"
    words = ["exchange_gwa", "--checkpoint", str(kept), "--donor", str(donor), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(ConfigError, match=sentence):
        main()
    assert not out.exists()


def test_a_gwa_that_saw_another_crop_is_refused(tmp_path) -> None:
    kept = tiny.save_tiny(tmp_path / "kept.safetensors")
    model, info = load_checkpoint(kept)
    donor = tmp_path / "donor.safetensors"
    save_checkpoint(donor, model, replace(info, preprocess=replace(info.preprocess, crop=0.8)))
    with pytest.raises(ConfigError, match="does not fit"):
        exchange(kept, donor, tmp_path / "mixed.safetensors")
