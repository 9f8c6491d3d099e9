"""How many CPU threads work gets: one for a few faces, all cores for large batches.

Threads that share a small layer wait for each other at its end. If another program uses a
core, one of them is always late: a face that one thread explains in a third of a second took two
threads eleven. So code that reads a few faces stays on its calling thread, and any remaining wait
sleeps instead of spinning.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

FEW_FACES = 8
_MOST_OF_CODEC = 4
MOST_PHOTOS = 6
"""To decode at once: each takes a hundred megabytes."""
_of_process: int | None = None  # set by `limit_process`; otherwise PyTorch's own number


def wait_passively() -> None:
    """Lets OpenMP's threads sleep while they wait; it must be called before PyTorch is imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def usable_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def codec_threads() -> int:
    """Threads of a video codec: each takes address space, which jobs limit."""
    return min(usable_cores(), _MOST_OF_CODEC)


def map_in_order(
    work: Callable[[T], R], items: Iterable[T], at_most: int | None = None
) -> Iterator[R]:
    """Yields `work(item)` for each item, in order, with one thread per core.

    For work that releases the interpreter's lock most of the time, like decoding and detection.
    Only a few items are taken ahead, so that memory stays bounded.

    Args:
        work: What to do.
        items: With what.
        at_most: How many at once, whatever the cores.
    """
    threads = min(usable_cores(), at_most or usable_cores())
    ahead: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            ahead.append(pool.submit(work, item))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def limit_process(threads: int) -> None:
    """Sets how many threads a large batch gets in this process.

    Only for programs: in a library it would change the threads of its user's own work.
    """
    import cv2
    import torch

    global _of_process
    _of_process = threads
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keeps the calling thread's PyTorch work on that thread; also a decorator."""
    with _threads(1):
        yield


@contextmanager
def threads_for(faces: int) -> Iterator[None]:
    """`one_thread` for a few faces; the process's number for a large batch."""
    with _threads(1 if faces <= FEW_FACES else _of_process):
        yield


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Changes the calling thread's number, then restores it; None leaves it alone.

    PyTorch's own call, which takes less than a microsecond, since it tells OpenMP and MKL alike:
    if the two differ, each layer ends threads and starts new ones. New threads start with
    this number, too, so a large batch can't rely on the current one.
    """
    import torch

    before = torch.get_num_threads()  # also makes PyTorch set its own number in a new thread
    if count is None or count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
