"""What several tests share: a running app and a real browser to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served import stop

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 120


def pytest_collection_modifyitems(items):
    """Marks what drives a browser, so that `-m "not browser"` leaves it out."""
    for item in items:
        if "chromium_path" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def empty_cache(tmp_path_factory) -> Iterator[None]:
    """A cache folder of the tests' own: what a person keeps in theirs changes no result."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Puts `__main__` back: Streamlit leaves a page there, which spawned processes would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is; skips without one, or fails where FERVT_REQUIRE_BROWSER=1."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("FERVT_REQUIRE_BROWSER") == "1":
        pytest.fail("FERVT_REQUIRE_BROWSER=1, but there is no chromium on PATH")
    pytest.skip("there is no chromium on PATH")


@pytest.fixture(scope="session")
def serve_app(tmp_path_factory) -> Callable:
    """Serves the app as `make app` does but on a free port.

    `with serve_app(NAME="value") as address` sets variables of its environment.
    """

    @contextmanager
    def serve(**environment: str) -> Iterator[str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = tmp_path_factory.mktemp("app") / "log.txt"
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
        command += [f"--server.port={port}", "--server.address=127.0.0.1"]
        command += ["--server.fileWatcherType=none"]
        everything = {**os.environ, **environment}
        with log.open("w") as out:
            server = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=everything
            )
        try:
            _wait_for_health(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(server)

    return serve


@pytest.fixture(scope="session")
def app_server(serve_app) -> Iterator[str]:
    """One app for all tests; yields its address."""
    with serve_app() as address:
        yield address


def _wait_for_health(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text()}")


@pytest.fixture
def launch_chromium(chromium_path) -> Iterator[Callable]:
    """Starts browsers: `launch_chromium(extra_args=())` gives a playwright `Browser`.

    For one test at a time, since playwright occupies its thread's event loop while it runs.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browsers = []

        def launch(extra_args=()):
            browser = playwright.chromium.launch(
                executable_path=chromium_path,
                args=["--no-sandbox", "--disable-gpu", *extra_args],
            )
            browsers.append(browser)
            return browser

        yield launch
        for browser in browsers:
            browser.close()


@pytest.fixture
def browser_page(launch_chromium):
    """An empty page of 1280 x 900 pixels in a fresh browser."""
    return launch_chromium().new_page(viewport={"width": 1280, "height": 900})
