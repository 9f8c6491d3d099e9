"""The app without a browser, on tiny checkpoints with random weights."""

from pathlib import Path

import pytest
import tiny
import torch
from streamlit.testing.v1 import AppTest

from fervt.checkpoint import CheckpointInfo, save_checkpoint
from fervt.data.transforms import Preprocess
from fervt.model import FERVTGNN

ENTRY = Path(__file__).parents[2] / "streamlit_app.py"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    """Two checkpoints that answer differently."""
    folder = tmp_path_factory.mktemp("checkpoints")
    paths = {name: folder / f"{name}.safetensors" for name in ("alpha", "beta")}
    info = CheckpointInfo(tiny.CONFIG, Preprocess(28, 0.5, 0.25))
    for seed, path in enumerate(paths.values()):
        torch.manual_seed(seed)
        save_checkpoint(path, FERVTGNN(tiny.CONFIG), info)
    return paths


@pytest.fixture
def open_page(checkpoints, monkeypatch):
    """Opens a page by its name with an address's parameters, as a cold deep link."""
    monkeypatch.setattr("fervt.ui.checkpoints.shipped_checkpoints", lambda: checkpoints)

    def open_page(name: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(ENTRY), default_timeout=60)
        for key, value in parameters.items():
            app.query_params[key] = value
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception
        return app

    return open_page
