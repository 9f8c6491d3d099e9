#!/bin/sh
# Makes .venv hold what REQUIREMENTS-FILE asks for, and does nothing when it already does.
# Usage: [PYTHON=python3.12] sh scripts/set_up.sh REQUIREMENTS-FILE
# Needs a POSIX shell and Python alone.
set -eu
wanted=$1
: "${PYTHON:=python3}"
inside=.venv/bin/python

fail() {
    echo "$1" >&2
    exit 1
}

# Whether every version that the file pins is installed; pip's own parser reads the markers.
installed() {
    "$inside" - "$wanted" <<'END'
import importlib.metadata, pathlib, sys
from pip._vendor.packaging.requirements import InvalidRequirement, Requirement

for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    text = line.partition("#")[0].strip()
    try:
        wanted = Requirement(text) if text else None
        if wanted is None or (wanted.marker and not wanted.marker.evaluate()):
            continue
        if not wanted.specifier.contains(importlib.metadata.version(wanted.name), prereleases=True):
            sys.exit(1)
    except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
        sys.exit(1)
END
}

if ! "$inside" -c 'import pip' >/dev/null 2>&1; then
    command -v "$PYTHON" >/dev/null 2>&1 ||
        fail "There is no '$PYTHON' here: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3."
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "'$PYTHON' is too old: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3."
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "'$PYTHON' cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)."
    echo "Making .venv ..."
    "$PYTHON" -m venv --clear .venv || fail "Making .venv failed: the lines above say why."
fi

if ! installed; then
    echo "Installing $wanted into .venv: once, some minutes, several gigabytes ..."
    "$inside" -m pip install --disable-pip-version-check --no-input -r "$wanted" ||
        fail "The installation failed: the lines above say why; the same command tries again."
fi
