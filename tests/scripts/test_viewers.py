"""Viewers over the websocket: each sees a whole page, and the server's cost is found."""

import re
import sys

import pytest

from scripts import viewers


@pytest.mark.slow
def test_two_viewers_at_once_and_three_in_turn_see_whole_pages(monkeypatch, capsys):
    options = ["--count", "2", "--come-and-go", "3", "--wait", "0"]
    monkeypatch.setattr(sys, "argv", ["viewers", *options])
    assert viewers.main() == 0
    said = capsys.readouterr().out
    assert "failed" not in said
    assert re.search(r"2 at once: \d+\.\d s of CPU time", said)
    before, peak = re.search(r"memory (\d+) MB before, (\d+) MB at the peak", said).groups()
    assert 0 < int(before) <= int(peak)
    assert all(f"| {page} | 1 |" in said for page in viewers.PAGES)


def test_a_page_that_is_not_there_is_a_failure(app_server):
    visits = viewers.Visits()

    async def visit():
        await viewers._visit(app_server, "nowhere", visits, [])

    viewers.asyncio.run(visit())
    assert not visits.seconds and len(visits.failures) == 1
