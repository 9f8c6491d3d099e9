"""A job's process: reads the work from stdin and answers on stdout, in pickled messages.

Started as `python -m fervt.jobs.child`: a fresh interpreter, neither forked from a server with many
threads nor spawned from the script that Streamlit runs as `__main__`.
"""

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
from typing import Any, BinaryIO

from fervt.errors import FervtError, is_lack_of_memory
from fervt.sandbox.limits import go_first, limit_memory

_NICER = 5  # the page must stay responsive
_EVERY_S = 0.1
_TOO_MUCH = "It needs more memory than is allowed."


def _end_with_parent(stdin: BinaryIO) -> None:
    """Ends this process when stdin closes: nobody is waiting for the result anymore."""
    # Not `stdin.read()`: it would hold the buffer's lock, which makes Python abort at exit.
    while os.read(stdin.fileno(), 1):
        pass
    os._exit(1)


def main() -> None:
    """Runs one job, and answers with ("done", result) or ("failed", sentence)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    stdin, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # library output must not mix with the answers
    work, arguments, memory_bytes = pickle.load(stdin)  # imports what the work needs
    go_first()
    limit_memory(memory_bytes)
    threading.Thread(target=_end_with_parent, args=(stdin,), daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(_NICER)
    said = 0.0

    def answer(kind: str, *content: Any) -> None:
        pickle.dump((kind, *content), answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()

    def report(share: float, doing: str) -> None:
        nonlocal said
        if time.monotonic() - said > _EVERY_S:
            said = time.monotonic()
            answer("progress", share, doing)

    try:
        result = work(report, *arguments)
    except FervtError as error:
        answer("failed", str(error))
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        answer("failed", _TOO_MUCH)
    else:
        answer("done", result)


if __name__ == "__main__":
    main()
