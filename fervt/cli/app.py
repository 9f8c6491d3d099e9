"""`fervt app`: the workbench in the browser."""

import argparse
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fervt.cli.extras import require_extra
from fervt.errors import ConfigError
from fervt.evaluation.corrections import Corrections
from fervt.resources import ROOT

HELP = "open the workbench in the browser"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options: where to listen, and where corrections go."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 opens it to the whole network, without a login",
    )
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="let visitors correct labels, and keep the corrections in this file (SQLite); "
        "anyone who can reach the page can write to it",
    )


def run(args: argparse.Namespace) -> int:
    """Becomes Streamlit's server; the shipped configuration applies in any working directory."""
    require_extra("app", "streamlit", "streamlit_webrtc")
    if not 1 <= args.port <= 65535:
        raise ConfigError(f"Cannot listen on port {args.port}: ports go from 1 to 65535.")
    if args.annotations is not None:
        path = args.annotations.resolve()
        Corrections.open(path)  # report problems now, not to a visitor
        os.environ["FERVT_ANNOTATIONS"] = str(path)
    for name, value in _settings():
        os.environ.setdefault(name, value)
    command = [sys.executable, "-m", "fervt.ui.server", "run", str(ROOT / "streamlit_app.py")]
    command += ["--server.address", args.host, "--server.port", str(args.port)]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def _settings() -> Iterator[tuple[str, str]]:
    """The shipped `.streamlit/config.toml` as Streamlit's environment variables.

    Streamlit looks for the file in the current folder, which is the user's.
    """
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))

    def walk(section: str, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for key, value in values.items():
            name = f"{section}_{_snake(key)}"
            if isinstance(value, dict):
                yield from walk(name, value)
            else:
                text = str(value).lower() if isinstance(value, bool) else str(value)
                yield name.upper(), text

    for section, values in config.items():
        yield from walk(f"streamlit_{section}", values)


def _snake(name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in name)
