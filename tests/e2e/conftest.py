"""Pages in a browser, which take as long as the machine needs, and how long people's jobs took."""

import pytest
from playwright.sync_api import expect

expect.set_options(timeout=90_000)

_SECONDS = pytest.StashKey[dict[str, float]]()


def pytest_configure(config):
    config.stash[_SECONDS] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keeps the seconds of what is marked `job`: what a person comes for, from start to end."""
    report = yield
    mark = item.get_closest_marker("job")
    if mark is not None and report.when == "call" and report.passed:
        item.config.stash[_SECONDS][mark.args[0]] = report.duration
    return report


def pytest_terminal_summary(terminalreporter, config):
    if seconds := config.stash[_SECONDS]:
        terminalreporter.section("jobs in a browser")
        for name, took in seconds.items():
            terminalreporter.write_line(f"{name:<28} {took:6.1f} s")
