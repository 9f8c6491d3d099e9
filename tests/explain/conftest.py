"""Tiny predictors with random weights, for every kind of checkpoint there is."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import tiny
import torch

from fervt.checkpoint import CheckpointInfo, save_checkpoint
from fervt.data.transforms import Preprocess
from fervt.model import FERVTGNN
from fervt.predict import Predictor


@pytest.fixture(scope="session")
def make_predictor(tmp_path_factory):
    """`make_predictor(**changes)`: a tiny checkpoint whose configuration has these changes."""

    def make(temperature: float = 1.3, **changes) -> Predictor:
        config = replace(tiny.CONFIG, **changes)
        torch.manual_seed(5)
        model = FERVTGNN(config)
        with torch.no_grad():  # random biases, so that a dropped part shows
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        path = tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors"
        size = config.image_size
        save_checkpoint(
            path, model, CheckpointInfo(config, Preprocess(size, 0.4, 0.2), temperature)
        )
        return Predictor(path)

    return make


@pytest.fixture(scope="session")
def predictor(make_predictor) -> Predictor:
    return make_predictor()


@pytest.fixture(scope="session")
def face() -> np.ndarray:
    """(48, 48) uint8, without any symmetry and nowhere the mean gray."""
    noise = np.random.default_rng(2).integers(0, 256, (48, 48), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2).astype(float)
    ramp = np.linspace(-60, 60, 48)[:, None] + np.linspace(0, 50, 48)[None]
    return np.clip(smooth + ramp, 0, 255).astype(np.uint8)
