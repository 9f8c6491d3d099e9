"""Progress as a bar on the error stream."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from fervt.progress import Progress

_FORMAT = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


@contextmanager
def progress_bar(start: float = 0.0) -> Iterator[Progress]:
    """Yields the function that moves the bar; its line is always ended.

    Args:
        start: The share done before, which doesn't count toward the estimate of the time left.
    """
    with tqdm(
        total=1.0, initial=start, bar_format=_FORMAT, mininterval=0.5, file=sys.stderr
    ) as bar:

        def report(share: float, doing: str) -> None:
            bar.set_description_str(doing, refresh=False)
            bar.update(share - bar.n)

        yield report
