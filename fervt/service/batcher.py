"""Small concurrent requests share one forward pass, without a queue, a timer or a thread.

The thread that holds the turn runs everything waiting at that point, so the next thread may find
its answer ready. A single request never waits for others, and batches grow with the load: eight
faces in one pass cost about as much as three alone.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Job(Generic[Item, Answer]):
    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.answers: Sequence[Answer] | None = None
        self.error: Exception | None = None


class Batcher(Generic[Item, Answer]):
    """Calls `run` with the items of several threads at once.

    Args:
        run: A list of items to as many answers, in order. Runs in one thread at a time.
        limit: Maximum number of items in one call, unless a single caller passes more.
    """

    def __init__(self, run: Callable[[Sequence[Item]], Sequence[Answer]], limit: int) -> None:
        self._run = run
        self._limit = limit
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_Job[Item, Answer]] = []

    def __call__(self, items: Sequence[Item]) -> Sequence[Answer]:
        """Answers the caller's items.

        Raises:
            Exception: What `run` raised for the call that included these items.
        """
        job: _Job[Item, Answer] = _Job(items)
        with self._lock:
            self._waiting.append(job)
        with self._turn:
            while job.answers is None and job.error is None:
                self._run_next()
        if job.error is not None:
            raise job.error
        assert job.answers is not None
        return job.answers

    def _run_next(self) -> None:
        with self._lock:
            jobs, size = [self._waiting.pop(0)], 0
            size = len(jobs[0].items)
            while self._waiting and size + len(self._waiting[0].items) <= self._limit:
                jobs.append(self._waiting.pop(0))
                size += len(jobs[-1].items)
        try:
            answers = self._run([item for job in jobs for item in job.items])
            start = 0
            for job in jobs:
                job.answers = answers[start : start + len(job.items)]
                start += len(job.items)
        except Exception as error:
            for job in jobs:
                job.error = error
