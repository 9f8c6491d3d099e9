"""A long run's progress and speed: work done before an interruption doesn't count."""

import time

from fervt.progress import Progress


class Meter:
    """Counts images and reports.

    Args:
        done: Images that an earlier run did.
        total: All images.
        report: Called with the progress.
    """

    def __init__(self, done: int, total: int, report: Progress) -> None:
        self._before = self._done = done
        self._total = total
        self._report = report
        self._began = time.monotonic()
        self.add(0)

    def add(self, images: int) -> None:
        """Counts some more."""
        self._done += images
        doing = f"{self._done:,} of {self._total:,} images"
        if self._done > self._before:
            rate = (self._done - self._before) / max(time.monotonic() - self._began, 1e-9)
            doing += f", {rate:,.1f} a second"
        self._report(self._done / max(self._total, 1), doing)
