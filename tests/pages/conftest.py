"""The app without a browser, on tiny checkpoints with random weights."""

import time
from pathlib import Path

import pytest
import tiny
from streamlit.testing.v1 import AppTest

from fervt.ui.jobs import server_jobs
from fervt.ui.remembered import _of_example

ENTRY = Path(__file__).parents[2] / "streamlit_app.py"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    """Two checkpoints that answer differently."""
    folder = tmp_path_factory.mktemp("checkpoints")
    return {
        name: tiny.save_tiny(folder / f"{name}.safetensors", seed)
        for seed, name in enumerate(("alpha", "beta"))
    }


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Examples are read anew in each test, which may have replaced what reads them."""
    _of_example.clear()


@pytest.fixture
def open_page(checkpoints, monkeypatch):
    """Opens a page by its name with an address's parameters, as a cold deep link."""
    for module in ("checkpoint", "ui.checkpoints"):
        monkeypatch.setattr(f"fervt.{module}.shipped_checkpoints", lambda: checkpoints)

    def open_page(name: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(ENTRY), default_timeout=60)
        for key, value in parameters.items():
            app.query_params[key] = value
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception
        return app

    return open_page


@pytest.fixture
def finish_job():
    """Gives the page once the job in its address has ended."""

    def finish_job(app: AppTest) -> AppTest:
        job = server_jobs().find(app.query_params["job"])
        deadline = time.monotonic() + 240
        while job.state == "running":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        app.run()
        assert not app.exception
        return app

    return finish_job
