"""How a program ends: what went wrong becomes one line on stderr and an exit code."""

import os
import sys
from collections.abc import Callable

from fervt.errors import FervtError, is_lack_of_memory


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: unwound like Ctrl-C, so that nothing half-written stays behind."""


def run_to_end(program: str, work: Callable[[], int | None]) -> int:
    """Runs `work`; returns its exit code, or 2 after one line on stderr for a known error.

    After a stop it is 130 for Ctrl-C and 143 for `Terminated`.
    """
    try:
        return work() or 0
    except FervtError as error:
        reason, code = str(error), 2
    except OSError as error:  # a full disk, a folder that is a file, a missing permission
        reason, code = _say(error), 2
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        reason, code = "there is not enough memory.", 2
    except KeyboardInterrupt as stop:
        reason, code = "stopped.", 143 if isinstance(stop, Terminated) else 130
    print(f"{program}: {reason}", file=sys.stderr)
    return code


def _say(error: OSError) -> str:
    if error.errno is None:
        return str(error)
    reason = f"{os.strerror(error.errno)}."
    return reason if error.filename is None else f"'{error.filename}': {reason}"
