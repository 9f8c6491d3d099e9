"""How many CPU threads a piece of work gets: one for a few faces, all cores for large batches.

Threads that share a small layer wait for each other at its end. Where another program holds a
core, one of them is always late: a face that one thread explains in a third of a second took two
threads eleven. So whoever reads a few faces stays on the thread it is called in, and what is left
to wait sleeps instead of spinning.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

FEW_FACES = 8


def wait_passively() -> None:
    """Lets OpenMP's threads sleep while they wait; it must be called before PyTorch is imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def one_thread() -> Iterator[None]:
    """Keeps what the calling thread asks of PyTorch to that thread; also a decorator."""
    import torch

    before = torch.get_num_threads()  # also makes PyTorch set its own number in a new thread
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(faces: int) -> AbstractContextManager[None]:
    """`one_thread` for a few faces; leaves PyTorch's number alone for a large batch."""
    return one_thread() if faces <= FEW_FACES else nullcontext()
