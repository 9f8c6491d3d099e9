"""Reads an untrusted file in a separate process while the page waits."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from fervt.jobs.answers import read_answer
from fervt.jobs.process import UNANSWERED, JobError, close, pack, start_process
from fervt.progress import Progress

T = TypeVar("T")

_MEMORY_BYTES = 1_000_000_000
_WALL_S = 120.0
_places = threading.BoundedSemaphore(2)


def ask(work: Callable[..., T], *arguments: Any) -> T:
    """Runs `work(*arguments)` with limited memory and time, and waits for its result.

    Args:
        work: A module-level function; its result and its arguments must be picklable.
        *arguments: Passed to `work`.

    Raises:
        JobError: The work failed with a message, or exceeded its budget, or the system cannot start
            another process.
    """
    message = pack(_call, (work, *arguments), _MEMORY_BYTES)
    late = threading.Event()
    with _places:
        process = start_process()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(_WALL_S, give_up)
        timer.daemon = True
        timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(message)
            process.stdin.flush()
            kind, content = read_answer(process.stdout)
        except Exception as error:  # whatever a compromised process answers
            said = "It takes too long to read." if late.is_set() else UNANSWERED
            raise JobError(said) from error
        finally:
            timer.cancel()
            close(process)
    if kind != "done":
        raise JobError(content)
    return content


def _call(report: Progress, work: Callable[..., T], *arguments: Any) -> T:
    return work(*arguments)
