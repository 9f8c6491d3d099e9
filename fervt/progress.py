"""Progress of long work: one type of report for all who do the work or show it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

Progress = Callable[[float, str], None]
"""Called with the share done, 0..1, and what is being done."""


def no_progress(share: float, doing: str) -> None:
    """Shows nothing."""


def part_of(report: Progress, start: float, end: float) -> Progress:
    """Reports work that is only a part, from `start` to `end`, of what `report` shows."""
    return lambda share, doing: report(start + (end - start) * share, doing)


def track(items: Iterable[T], total: int, report: Progress, doing: str) -> Iterator[T]:
    """Yields items and reports after each, like `Reading: 3 of 7`.

    Args:
        items: About `total` of them.
        total: How many are expected.
        report: Called with the progress.
        doing: What is being done.
    """
    for done, item in enumerate(items, 1):
        yield item
        report(min(1.0, done / max(total, 1)), f"{doing}: {done:,} of {total:,}")
