"""Atomic file writes: write to a temporary file, then rename.

What a killed process leaves of one may hold people's faces, so the next writer clears it away.
"""

import errno
import hashlib
import json
import os
import platform
import re
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

# The process that writes a part, and its machine: process numbers mean nothing on another one.
_PART = re.compile(r"\.(?P<name>.+)\.(?P<host>[0-9a-f]{6})-(?P<pid>[0-9]{1,10})\.part")
_PLAN = re.compile(r"\.(?P<host>[0-9a-f]{6})-(?P<pid>[0-9]{1,10})\.plan")
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
_ABANDONED_S = 24 * 3600.0


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """Yields a path beside `path` to write to; renames it when the block ends without an error.

    The folder is made where it is missing; a link is followed.

    Raises:
        OSError: The file cannot be written, or something that is no file lies there.
    """
    path, aside = _place_aside(path)
    try:
        with _by_its_name(path, aside):
            yield aside
            os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_together(folder: Path, files: Mapping[str, bytes], remove: Collection[str] = ()) -> None:
    """Writes several files of a folder and removes others in one step that a stop cannot halve.

    Once all files are written aside, a plan of what remains to be done is written, too. Whoever
    reads the folder next finishes what a killed process had planned; after Ctrl-C this one does,
    unless it is pressed again.

    Args:
        folder: Made where it is missing.
        files: Contents by name, renamed in this order.
        remove: Names of files in the folder.

    Raises:
        OSError: One cannot be written; the folder is as it was. Or it cannot be moved to its place,
            which the next process to read the folder tries again.
    """
    plan = folder / f".{_HOST}-{os.getpid()}.plan"
    parts: list[tuple[Path, Path]] = []
    begun = False
    try:
        for name, content in files.items():
            path, part = _place_aside(folder / name)
            parts.append((path, part))
            with _by_its_name(path, part):
                part.write_bytes(content)
        steps = {"rename": [part.name for _, part in parts], "remove": list(remove)}
        with write_aside(plan) as aside:
            aside.write_text(json.dumps(steps))
        unwanted = [folder / name for name in remove]
        begun = True
        try:
            _exchange(parts, unwanted)
        except KeyboardInterrupt:
            _exchange([(path, part) for path, part in parts if part.exists()], unwanted)
            begun = False
            raise
        begun = False
    finally:
        if not begun:
            plan.unlink(missing_ok=True)
            for _, part in parts:
                part.unlink(missing_ok=True)


def _place_aside(path: Path) -> tuple[Path, Path]:
    """The file that a path leads to and the path to write it at first; clears its folder."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "It is no regular file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    plans, parts = _abandoned(path.parent)
    _finish(plans)
    for part in parts:
        with suppress(OSError):  # such as one that a plan has just renamed
            part.unlink()
    return path, path.with_name(f".{path.name}.{_HOST}-{os.getpid()}.part")


@contextmanager
def _by_its_name(path: Path, aside: Path) -> Iterator[None]:
    """People know a file by its own name, not by the one that it is written at first."""
    try:
        yield
    except OSError as error:
        if error.filename == str(aside):
            error.filename = str(path)
        raise


def _exchange(parts: list[tuple[Path, Path]], unwanted: list[Path]) -> None:
    for file in unwanted:
        file.unlink(missing_ok=True)
    for path, part in parts:
        os.replace(part, path)


def finish_writes(folder: Path) -> None:
    """Finishes what `write_together` had planned when its process was killed."""
    plans, _ = _abandoned(folder)
    _finish(plans)


def _finish(plans: list[Path]) -> None:
    for plan in plans:
        with suppress(OSError):  # such as a read-only folder: the plan stays for another time
            with suppress(ValueError, KeyError, TypeError):  # not a plan of ours
                _carry_out(json.loads(plan.read_text("utf-8")), plan.parent)
            plan.unlink()


def _carry_out(steps: dict[str, list[str]], folder: Path) -> None:
    # A stranger may have written the plan: names lead nowhere but to files of the folder.
    for name in map(os.path.basename, steps["remove"]):
        (folder / name).unlink(missing_ok=True)
    for name in map(os.path.basename, steps["rename"]):
        part = _PART.fullmatch(name)
        if part is not None and (folder / name).is_file():
            os.replace(folder / name, folder / part["name"])


def _abandoned(folder: Path) -> tuple[list[Path], list[Path]]:
    """Plans and parts whose processes are gone, or silent for a day."""
    plans: list[Path] = []
    parts: list[Path] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            writer = _PLAN.fullmatch(entry.name) or _PART.fullmatch(entry.name)
            if writer is None:
                continue
            gone = writer["host"] == _HOST and not _runs(int(writer["pid"]))
            with suppress(OSError):
                if gone or time.time() - entry.stat().st_mtime > _ABANDONED_S:
                    (plans if writer.re is _PLAN else parts).append(Path(entry.path))
    return plans, parts


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
