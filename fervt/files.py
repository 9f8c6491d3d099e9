"""Atomic file writes: write to a temporary file, then rename.

What a killed process leaves of one may hold people's faces, so the next writer clears it away.
"""

import errno
import hashlib
import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

# The process that writes a part, and its machine: process numbers mean nothing on another one.
_PART = re.compile(r"\..+\.(?P<host>[0-9a-f]{6})-(?P<pid>[0-9]{1,10})\.part")
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
_ABANDONED_S = 24 * 3600.0


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """Yields a path beside `path` to write to; renames it when the block ends without an error.

    The folder is made where it is missing; a link is followed.

    Raises:
        OSError: The file cannot be written, or something that is no file lies there.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "It is no regular file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_abandoned(path.parent)
    aside = path.with_name(f".{path.name}.{_HOST}-{os.getpid()}.part")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _clear_abandoned(folder: Path) -> None:
    """Removes what processes left half written that are gone, or silent for a day."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            part = _PART.fullmatch(entry.name)
            if part is None:
                continue
            gone = part["host"] == _HOST and not _runs(int(part["pid"]))
            with suppress(OSError):
                if gone or time.time() - entry.stat().st_mtime > _ABANDONED_S:
                    os.unlink(entry.path)


def _runs(pid: int) -> bool:
    if os.name == "nt":  # where asking would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@lru_cache(maxsize=64)
def _hash(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file; remembered until its size or time of change differ."""
    stat = path.stat()
    return _hash(path.resolve(), stat.st_size, stat.st_mtime_ns)
