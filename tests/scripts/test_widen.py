"""A widened checkpoint says what the narrow one said, and can learn more."""

import sys

import pytest
import tiny
import torch

from fervt.checkpoint import load_checkpoint
from fervt.errors import ConfigError
from fervt.files import file_sha256
from scripts.widen import main, widen


def faces(side: int) -> torch.Tensor:
    return torch.randn(4, 3, side, side)


def test_what_the_model_says_stays(tmp_path) -> None:
    narrow, wide = tiny.save_tiny(tmp_path), tmp_path / "wide.safetensors"
    before, info = load_checkpoint(narrow)
    widen(narrow, info.config.width + 4, wide)
    after, grown = load_checkpoint(wide)
    assert grown.config.width == info.config.width + 4
    assert grown.parent == file_sha256(narrow)
    assert "not trained since" in grown.description
    images = faces(info.config.image_size)
    with torch.inference_mode():
        torch.testing.assert_close(after(images).logits, before(images).logits)


def test_new_channels_see_the_image_and_get_gradients(tmp_path) -> None:
    narrow, wide = tiny.save_tiny(tmp_path), tmp_path / "wide.safetensors"
    width = load_checkpoint(narrow)[1].config.width
    widen(narrow, 2 * width, wide)
    model, info = load_checkpoint(wide)
    output = model(faces(info.config.image_size))
    old = 8 * width
    assert output.feature_map[:, old:].std() > 0
    output.logits[:, 0].sum().backward()
    assert model.backbone.project[-1][0].weight.grad[:, old:].abs().max() > 0


@pytest.mark.parametrize(("width", "sentence"), [("1", "choose a larger"), ("999", "16 to 256")])
def test_other_widths_are_refused(tmp_path, monkeypatch, width, sentence) -> None:
    narrow, out = tiny.save_tiny(tmp_path), tmp_path / "wide.safetensors"
    words = ["widen", "--checkpoint", str(narrow), "--width", width, "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(ConfigError, match=sentence):
        main()
    assert not out.exists()
