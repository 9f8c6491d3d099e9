#!/bin/sh
# Makes .venv hold what REQUIREMENTS-FILE asks for, and does nothing when it already does.
# Usage: [PYTHON=python3.12] sh scripts/set_up.sh REQUIREMENTS-FILE
# Needs a POSIX shell and Python alone: even the hash of what is installed is Python's.
set -eu
wanted=$1
: "${PYTHON:=python3}"
inside=.venv/bin/python

fail() {
    echo "$1" >&2
    exit 1
}

# Requirements, those they include, and the Python they were installed for.
fingerprint() {
    "$inside" - "$wanted" <<'END'
import hashlib, pathlib, sys

digest = hashlib.sha256(sys.version.encode())
files = [pathlib.Path(sys.argv[1])]
for file in files:
    text = file.read_text()
    digest.update(text.encode())
    files += [file.parent / line[3:].strip() for line in text.splitlines() if line[:3] == "-r "]
print(digest.hexdigest())
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

stamp=.venv/installed-${wanted##*/}
now=$(fingerprint)
if [ "$(cat "$stamp" 2>/dev/null)" != "$now" ]; then
    echo "Installing $wanted into .venv: once, some minutes, several gigabytes ..."
    "$inside" -m pip install --disable-pip-version-check --no-input -r "$wanted" ||
        fail "The installation failed: the lines above say why; the same command tries again."
    echo "$now" >"$stamp"
fi
