"""Settings files that are no settings, and consoles that know ASCII only."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fervt.cli.train import read_settings
from fervt.errors import ConfigError


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 50_000,
        "a = " + "9" * 5_000,
        f"[train]\nlr = {'9' * 400}",
        f"[train]\nepochs = {'9' * 400}",
        "[train]\nepochs = 2013-02-03",
        "[train]\nlr = nan",
        "[model]\nstem = [1]",
        "model = 3",
    ],
)
def test_a_file_that_is_no_settings_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_settings(tmp_path / "x.toml", {})
    assert len(str(caught.value).splitlines()) == 1


def test_a_console_that_knows_ascii_only_gets_every_line(tmp_path: Path) -> None:
    bare = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    program = (
        "import sys, types; from fervt import __main__ as cli\n"
        "run = lambda args: print('7\\u00d77') or 0\n"
        "verb = types.SimpleNamespace(HELP='', add_arguments=lambda p: None, run=run)\n"
        "cli.importlib.import_module = lambda name: verb\n"
        "sys.exit(cli.main(['video']))\n"
    )
    places = str(Path(__file__).parents[2])
    env = {**os.environ, **bare, "PYTHONPATH": places, "PYTHONIOENCODING": ""}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout) == (0, "7\\xd77\n"), done.stderr
