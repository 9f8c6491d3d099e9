"""Compiles requirements*.txt from pyproject.toml: the exact versions that were tested.

    python -m scripts.lock [--check]

Needs `uv` on the path. Locked packages keep their versions while the ranges allow it; delete a file
to update all of them. The first line identifies the ranges that a file was compiled from, so that a
test can tell when they have changed.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"requirements.txt": [], "requirements-dev.txt": ["--group", "dev"]}
_MARK = "# Compiled by `make lock` from the ranges of pyproject.toml: "


def ranges_sha256() -> str:
    """A hash of every range in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    ranges = [
        project["project"]["dependencies"],
        project["project"]["optional-dependencies"],
        project["dependency-groups"],
        project["project"]["requires-python"],
    ]
    return hashlib.sha256(json.dumps(ranges, sort_keys=True).encode()).hexdigest()[:16]


def is_current(name: str) -> bool:
    """Whether a lock file was compiled from today's ranges."""
    return (ROOT / name).read_text().startswith(f"{_MARK}{ranges_sha256()}\n")


def lock(name: str, groups: list[str]) -> None:
    """Compiles one file."""
    path = ROOT / name
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--extra", "all"]
    command += ["--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--no-emit-package", "fervt", *groups, "pyproject.toml", "-o", str(path)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    path.write_text(f"{_MARK}{ranges_sha256()}\n{path.read_text()}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only report outdated files")
    args = parser.parse_args()
    if args.check:
        drifted = [name for name in LOCKS if not is_current(name)]
        print("\n".join(f"{name} is out of date: make lock" for name in drifted))
        return int(bool(drifted))
    for name, groups in LOCKS.items():
        lock(name, groups)
    return 0


if __name__ == "__main__":
    sys.exit(main())
