"""Progress: what long work tells, and how a command line shows it."""

import pytest

from fervt.cli.progress_bar import progress_bar
from fervt.progress import part_of, track


def test_each_item_is_reported_once_it_is_done() -> None:
    told: list[tuple[float, str]] = []
    items = track("abc", 3, lambda *report: told.append(report), "Reading")
    assert next(items) == "a"
    assert told == []
    assert list(items) == ["b", "c"]
    assert told == [
        (1 / 3, "Reading: 1 of 3"), (2 / 3, "Reading: 2 of 3"), (1.0, "Reading: 3 of 3"),
    ]  # fmt: skip


def test_more_items_than_expected_are_no_more_than_all() -> None:
    told: list[float] = []
    assert list(track("abc", 0, lambda share, _: told.append(share), "Reading")) == ["a", "b", "c"]
    assert told == [1.0, 1.0, 1.0]


def test_a_part_fills_its_share() -> None:
    told: list[tuple[float, str]] = []
    report = part_of(lambda *found: told.append(found), 0.2, 0.6)
    report(0.0, "a")
    report(0.5, "b")
    report(1.0, "c")
    assert [share for share, _ in told] == pytest.approx([0.2, 0.4, 0.6])
    assert [doing for _, doing in told] == ["a", "b", "c"]


def test_the_bar_ends_its_line_before_an_error(capsys) -> None:
    with pytest.raises(KeyError), progress_bar() as report:
        report(0.5, "Reading: 1 of 2")
        raise KeyError
    shown = capsys.readouterr().err
    assert "Reading: 1 of 2" in shown and " 50%" in shown
    assert shown.endswith("\n")
