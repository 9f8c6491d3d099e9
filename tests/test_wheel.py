"""fervt as a package: built, installed into an empty folder, and used from somewhere else."""

import json
import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import served
from PIL import Image

from fervt.examples import load_example

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = "-m pip wheel --no-deps --no-build-isolation --disable-pip-version-check -q".split()
    subprocess.run([sys.executable, *build, "-w", str(out), str(ROOT)], check=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with nothing but the wheel's content."""
    target = tmp_path_factory.mktemp("installed")
    install = "-m pip install --no-deps --no-index --disable-pip-version-check -q".split()
    subprocess.run([sys.executable, *install, "--target", str(target), str(wheel)], check=True)
    return target


@pytest.fixture
def run(installed, tmp_path):
    """Runs the installed `fervt` in a folder outside of the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    environment.pop("PYTHONWARNINGS", None)

    def call(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(installed / "bin" / "fervt"), *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    call.environment = environment
    return call


def test_the_wheel_carries_what_the_program_needs_and_no_more(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "fervt/py.typed",
        "fervt/shipped/streamlit_app.py",
        "fervt/shipped/pages/home.py",
        "fervt/shipped/.streamlit/config.toml",
        "fervt/shipped/assets/checkpoints/fervt-wide.safetensors",
        "fervt/shipped/assets/evaluations/fervt-wide/PrivateTest/predictions.parquet",
    } <= names
    for folder in ("static", "templates"):
        for file in (ROOT / "fervt" / "service" / folder).iterdir():
            assert f"fervt/service/{folder}/{file.name}" in names
    assert not [n for n in names if "screenshots" in n or "__pycache__" in n or "tests/" in n]
    assert wheel.stat().st_size < 65e6


def test_predict_and_checkpoints(run, tmp_path):
    Image.fromarray(load_example("astronaut")).save(tmp_path / "face.png")
    done = run("predict", "face.png", "--json")
    assert done.returncode == 0 and done.stderr == ""
    assert "happy" in done.stdout
    done = run("checkpoints", "--json")
    assert done.returncode == 0 and done.stderr == ""
    first = json.loads(done.stdout)[0]
    assert first["name"] == "fervt-wide"
    assert first["metrics"]["PrivateTest"]["n"] == 3589


def test_import_reads_the_installed_package(run, installed, tmp_path):
    code = "import fervt, sys; print(fervt.__file__, 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=run.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(installed / "fervt" / "__init__.py"), "False"]


def test_the_app_answers_on_this_machine_only(run, installed, tmp_path):
    port, log = served.free_port(), tmp_path / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, str(installed / "bin" / "fervt"), "app", "--port", str(port)],
            cwd=tmp_path, env=run.environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        served.wait_until_ready(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        for address in _other_addresses():
            with pytest.raises(OSError):
                socket.create_connection((address, port), timeout=5).close()
    finally:
        served.stop(process)


def _other_addresses() -> list[str]:
    """What else this machine is called; 127.0.0.2 is always its own, too."""
    found = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    return sorted({*found, "127.0.0.2"} - {"127.0.0.1"})


@pytest.mark.parametrize(
    ("verb", "module", "extra"), [("app", "streamlit", "app"), ("serve", "flask", "serve")]
)
def test_a_missing_extra_is_one_sentence(run, tmp_path, verb, module, extra):
    hide = f"import sys; sys.modules['{module}'] = None; import fervt.__main__ as m; "
    done = subprocess.run(
        [sys.executable, "-c", hide + f"sys.exit(m.main(['{verb}']))"],
        cwd=tmp_path, env=run.environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"pip install 'fervt[{extra}]'" in done.stderr and done.stderr.count("\n") == 1
