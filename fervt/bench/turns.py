"""One row of the table: fervt and a bare library doing the same work, in turns.

Machines differ and are noisy; what carries over is the ratio of two tasks timed back to back. Each
turn gives a ratio. The median is reported, with the lowest and highest to show how far to trust it.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

_LEAST_S = 0.05  # minimum length of a turn: shorter work is repeated
_MOST_REPEATS = 50

Task = Callable[[], Any]


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Attributes:
        work: What is done.
        against: What it is compared with.
        ms: fervt's time, the median of the turns.
        against_ms: The other's.
        ratio: fervt's time over the other's, the median of the turns: above 1, fervt is slower.
        low: The lowest of them.
        high: The highest.
        turns: How many there were.
    """

    work: str
    against: str
    ms: float
    against_ms: float
    ratio: float
    low: float
    high: float
    turns: int

    @classmethod
    def of(
        cls, work: str, against: str, ours_s: Sequence[float], theirs_s: Sequence[float]
    ) -> "Line":
        """A row from the seconds of each turn."""
        ratios = [ours / theirs for ours, theirs in zip(ours_s, theirs_s, strict=True)]
        return cls(
            work,
            against,
            1000 * median(ours_s),
            1000 * median(theirs_s),
            median(ratios),
            min(ratios),
            max(ratios),
            len(ratios),
        )


def in_turns(work: str, ours: Task, against: str, theirs: Task, turns: int) -> Line:
    """Times two tasks in turns, alternating which goes first, after warming up both."""
    repeats = []
    for task in (ours, theirs):
        task()
        once = _seconds(task, 1)
        repeats.append(min(_MOST_REPEATS, math.ceil(_LEAST_S / max(once, 1e-9))))
    spent: tuple[list[float], list[float]] = [], []
    for turn in range(turns):
        for which in (0, 1) if turn % 2 else (1, 0):
            spent[which].append(_seconds((ours, theirs)[which], repeats[which]))
    return Line.of(work, against, *spent)


def _seconds(task: Task, times: int) -> float:
    """Mean seconds per call."""
    began = time.perf_counter()
    for _ in range(times):
        task()
    return (time.perf_counter() - began) / times
