"""Progress as a bar on the error stream."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from fervt.progress import Progress

_FORMAT = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


@contextmanager
def progress_bar(start: float = 0.0) -> Iterator[Progress]:
    """Yields what moves the bar; its line ends however the block is left.

    Args:
        start: The share that was done before, which says nothing about the time that is left.
    """
    with tqdm(
        total=1.0, initial=start, bar_format=_FORMAT, mininterval=0.5, file=sys.stderr
    ) as bar:

        def report(share: float, doing: str) -> None:
            bar.set_description_str(doing, refresh=False)
            bar.update(share - bar.n)

        yield report
