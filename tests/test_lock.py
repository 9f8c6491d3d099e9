"""What is installed is what was tested: the lock files follow the ranges of pyproject.toml."""

import re

import pytest
from packaging.requirements import Requirement

from scripts.lock import LOCKS, ROOT, is_current

LINES = {
    name: [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
    for name in LOCKS
}


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_was_compiled_from_todays_ranges(name):
    assert is_current(name), "pyproject.toml has changed: make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_one_exact_version_from_any_index(name):
    assert len(LINES[name]) > 50
    for line in LINES[name]:
        assert re.fullmatch(r"==[\w.+!]+", str(Requirement(line).specifier)), line


def test_the_tests_run_on_what_the_app_runs_on():
    assert set(LINES["requirements.txt"]) < set(LINES["requirements-dev.txt"])
