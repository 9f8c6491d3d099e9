"""The folder that a run keeps its parts in: its ownership and its removal.

It is where people keep their own files, so nothing is removed that a run did not write.
"""

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

from fervt.errors import DataError

PLAN, RUN, _LOCK = "plan.parquet", "run.json", "lock"
PART = re.compile(r"[0-9]{8,}\.parquet")
_ASIDE = re.compile(r"\..+\.part")  # what `write_aside` leaves when it is killed


def refuse_foreign(folder: Path) -> None:
    """Raises DataError if the folder is not a run's, before anything in it changes."""
    names = {path.name for path in folder.iterdir()}
    if RUN in names:
        return
    # A part's name is not proof: it comes after the lock and the plan, so one of them exists too.
    parts = any(map(PART.fullmatch, names)) and names.isdisjoint({PLAN, _LOCK})
    if parts or not all(map(_is_own, names)):
        raise DataError(
            f"'{folder}' contains files that belong to no run of fervt; move it away or choose "
            "another file for the table."
        )


def _is_own(name: str) -> bool:
    return name in (PLAN, _LOCK) or any(own.fullmatch(name) for own in (PART, _ASIDE))


def remove_own(folder: Path) -> None:
    """Removes a run that never began, and the folder if nothing else is in it."""
    with suppress(OSError):
        for path in folder.iterdir():
            if _is_own(path.name):
                path.unlink()
        folder.rmdir()


def _discarded(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.done")


def clear_discarded(folder: Path) -> None:
    """Removes what a kill left behind of a finished run."""
    shutil.rmtree(_discarded(folder), ignore_errors=True)


def discard(folder: Path) -> None:
    """Removes a finished run. Renamed first: a kill must not leave half of it under its name."""
    clear_discarded(folder)
    with suppress(OSError):
        folder = folder.rename(_discarded(folder))
    shutil.rmtree(folder, ignore_errors=True)


def claim(folder: Path) -> IO[str] | None:
    """Locks the folder against a second run for as long as this one lives."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    lock = (folder / _LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise DataError(f"Another run is writing to '{folder}'.") from error
    except OSError:  # a file system without locks
        pass
    return lock
