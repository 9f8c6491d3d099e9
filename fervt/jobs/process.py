"""Starts a job's process and passes it its work."""

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from fervt.errors import FervtError
from fervt.resources import IMPORT_ROOT

MEMORY_BYTES = 3_000_000_000
"""A job's memory on top of its libraries': enough for a film with the largest frames."""

UNANSWERED = "The work ended without an answer."


class JobError(FervtError):
    """A job that cannot be started now, or does not exist."""


def pack(work: Callable[..., Any], arguments: tuple[Any, ...], memory_bytes: int) -> bytes:
    """The first message to a process."""
    return pickle.dumps((work, arguments, memory_bytes), pickle.HIGHEST_PROTOCOL)


def start_process() -> subprocess.Popen[bytes]:
    """A process that waits for its message.

    Raises:
        JobError: The system cannot start another process.
    """
    paths = [str(IMPORT_ROOT), os.environ.get("PYTHONPATH", "")]
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "fervt.jobs.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                # glibc reserves 64 MB of address space, which is limited, for each thread's own.
                "MALLOC_ARENA_MAX": "2",
            },
        )
    except OSError as error:
        raise JobError("The server is busy; try again in a minute.") from error


def close(process: subprocess.Popen[bytes]) -> None:
    """Closes its pipes, which ends it, and waits for it to exit."""
    assert process.stdin is not None and process.stdout is not None
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            pipe.close()
    process.wait()
