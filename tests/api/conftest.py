"""A tiny model and a picture."""

from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image

import fervt
from fervt.examples import load_example


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return tiny.save_tiny(tmp_path_factory.mktemp("api"), seed=3, temperature=1.5)


@pytest.fixture(scope="module")
def model(checkpoint) -> fervt.Predictor:
    return fervt.load(checkpoint)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return load_example("astronaut")


@pytest.fixture
def faces(model, astronaut) -> fervt.Faces:
    scene = np.full((520, 1100, 3), 200, np.uint8)
    scene[:512, 500:1012] = astronaut
    scene[:256, :256] = np.asarray(Image.fromarray(astronaut).resize((256, 256)))
    return model(scene)
