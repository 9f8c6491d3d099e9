"""The pool of decoding processes, and the parent's side of their pipes."""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

import numpy as np

from fervt.errors import ImageError
from fervt.images import MAX_PIXELS, Photo, safe_name
from fervt.sandbox.limits import READY, hide_environment
from fervt.threads import usable_cores

WALL_S = 20.0
"""A picture that takes longer is given up. Far more than a large photo takes on a busy machine:
processor time has a tighter budget, see `fervt.sandbox.child`."""

_START_S = 60.0  # of a process, which is no picture's fault
_PHOTOS_EACH = 2_000  # then a fresh process takes over, whatever decoders may have leaked
_MOST_ANSWER_BYTES = 16_384
_PIPE_BYTES = 1 << 20


def _widen(pipe: IO[bytes] | None) -> None:
    """Enlarges a pipe's buffer if the system allows: a user's pipes share a memory budget."""
    if sys.platform == "linux" and pipe is not None:
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


class _Broken(Exception):
    """The process died, or sent an invalid answer."""


class _Worker:
    """One process."""

    def __init__(self, command: Sequence[str]) -> None:
        single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**hide_environment(), **single},
        )
        _widen(self.process.stdin)
        _widen(self.process.stdout)
        self.ready = False
        self.photos = 0

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        self.process.wait()

    def read(self, data: bytes, name: str, max_pixels: int, wall_s: float) -> Photo:
        """Has a picture decoded.

        Raises:
            ImageError: It cannot be read, or took too long.
            _Broken: The process is no longer usable.
        """
        late = threading.Event()
        self.photos += 1
        try:
            if not self.ready:
                with self._at_most(_START_S):
                    self._wait_for_start()
            with self._at_most(wall_s, late):
                return self._ask(data, name, max_pixels)
        except (OSError, ValueError, LookupError, TypeError, RecursionError, _Broken) as error:
            self.stop()
            if late.is_set() or self.process.returncode == -getattr(signal, "SIGXCPU", 0):
                raise ImageError(f"'{name}' takes too long to decode.") from error
            raise _Broken from error

    @contextmanager
    def _at_most(self, seconds: float, late: threading.Event | None = None) -> Iterator[None]:
        """Ends the process, and sets the event, if what is done takes longer."""

        def give_up() -> None:
            if late is not None:
                late.set()
            self.process.kill()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _wait_for_start(self) -> None:
        assert self.process.stdout is not None
        if self.process.stdout.readline(len(READY)) != READY:
            raise _Broken
        self.ready = True

    def _ask(self, data: bytes, name: str, max_pixels: int) -> Photo:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        asked = {"bytes": len(data), "name": name, "max_pixels": max_pixels}
        stdin.write(json.dumps(asked).encode() + b"\n")
        stdin.write(data)
        stdin.flush()
        answer = json.loads(stdout.readline(_MOST_ANSWER_BYTES))
        if "error" in answer:
            raise ImageError(str(answer["error"]))
        height, width, note = answer["height"], answer["width"], answer["note"]
        if not (type(height) is type(width) is int and 0 < height * width <= max_pixels):
            raise _Broken
        rgb = np.empty((height, width, 3), np.uint8)
        if stdout.readinto(rgb.data.cast("B")) < rgb.nbytes:  # type: ignore[attr-defined]
            raise _Broken
        return Photo(rgb, str(note))


class Decoder:
    """A few processes that decode, started when they are needed; safe to use from any thread.

    Args:
        processes: How many decode at the same time; further requests wait.
        wall_s: Seconds that one picture may take; starting a process isn't counted.
        command: What to run as a process that decodes.
    """

    def __init__(
        self,
        processes: int | None = None,
        wall_s: float = WALL_S,
        command: Sequence[str] = (sys.executable, "-W", "ignore", "-m", "fervt.sandbox.child"),
    ) -> None:
        self._command = command
        self._places = threading.BoundedSemaphore(processes or usable_cores())
        self._wall_s = wall_s
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._owner = os.getpid()

    def read_photo(self, data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Photo:
        """As `images.read_photo` of a file's content, within the budget.

        Raises:
            ImageError: As there; or decoding takes too long or too much memory.
        """
        name = safe_name(name)
        with self._places:
            # An idle process may have been killed meanwhile, which is not this picture's fault.
            for _ in range(2):
                with self._borrow(name) as worker, suppress(_Broken):
                    return worker.read(data, name, max_pixels, self._wall_s)
            ready = worker.ready
        if not ready:
            raise ImageError(f"'{name}' cannot be decoded now: the decoder could not start.")
        raise ImageError(f"'{name}' is damaged: decoding it fails.")

    def close(self) -> None:
        """Ends the processes that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.stop()

    @contextmanager
    def _borrow(self, name: str) -> Iterator[_Worker]:
        with self._lock:
            if self._owner != os.getpid():  # forked: the processes belong to the parent
                self._owner, self._idle = os.getpid(), []
            worker = self._idle.pop() if self._idle else None
        if worker is not None and not worker.is_alive():
            worker.stop()
            worker = None
        try:
            worker = worker or _Worker(self._command)
        except OSError as error:
            raise ImageError(f"'{name}' cannot be decoded now: the server is busy.") from error
        try:
            yield worker
        finally:
            if worker.is_alive() and worker.photos < _PHOTOS_EACH:
                with self._lock:
                    self._idle.append(worker)
            else:
                worker.stop()


_shared = Decoder()
atexit.register(_shared.close)


def read_photo(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Photo:
    """Reads an untrusted picture in a process with a budget, shared by this program's threads.

    Args:
        data: The file's content.
        name: Its display name.
        max_pixels: As for `fervt.images.read_photo`.

    Raises:
        ImageError: It cannot be read within the budget.
    """
    return _shared.read_photo(data, name, max_pixels)
