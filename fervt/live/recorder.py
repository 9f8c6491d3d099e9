"""Records what the viewer sees of a stream as a film in memory.

It never raises into the stream: an error ends the recording and is reported in its state.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from fervt.live.mp4 import Mp4Writer

MAX_S = 120.0
MAX_BYTES = 100_000_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """The state of a recording.

    Attributes:
        running: Whether frames are being added.
        seconds: From its first to its latest frame.
        frames: How many it has.
        size_bytes: Written so far.
        ended: Why it ended on its own, in a sentence; empty if it did not.
    """

    running: bool = False
    seconds: float = 0.0
    frames: int = 0
    size_bytes: int = 0
    ended: str = ""


class Recorder:
    """Records one stream at a time. Frames come from the stream's thread, commands from any other.

    Args:
        max_s: A recording ends automatically after this many seconds.
        max_bytes: Or at this size.
        clock: Returns seconds; replaced in tests.
    """

    def __init__(
        self,
        max_s: float = MAX_S,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_s, self._max_bytes, self._clock = max_s, max_bytes, clock
        self._lock = threading.Lock()
        self._buffer = BytesIO()
        self._writer: Mp4Writer | None = None
        self._film: bytes | None = None
        self._start_s: float | None = None
        self._seconds = 0.0
        self._frames = 0
        self._ended = ""

    @property
    def state(self) -> Recording:
        """The state of the recording."""
        with self._lock:
            size_bytes = len(self._film) if self._film else self._buffer.getbuffer().nbytes
            running = self._writer is not None
            return Recording(running, self._seconds, self._frames, size_bytes, self._ended)

    @property
    def film(self) -> bytes | None:
        """The recorded MP4; None during the recording or if it has no frames."""
        with self._lock:
            return self._film

    def start(self) -> None:
        """Begins a recording, which replaces the last."""
        with self._lock:
            self._reset()
            self._writer = Mp4Writer(self._buffer)

    def stop(self) -> None:
        """Ends the recording, if one is running; its film is kept."""
        with self._lock:
            self._finish("")

    def forget(self) -> None:
        """Ends the recording and drops its film."""
        with self._lock:
            self._reset()

    def add(self, image_rgb: NDArray[np.uint8]) -> None:
        """Adds a frame (h, w, 3) uint8 RGB if a recording is running. Never raises."""
        with self._lock:
            if self._writer is None:
                return
            try:
                now_s = self._clock()
                self._start_s = now_s if self._start_s is None else self._start_s
                seconds = now_s - self._start_s
                if seconds > self._max_s:
                    self._finish(f"It stopped after {self._max_s:.0f} seconds, its limit.")
                    return
                self._writer.add(image_rgb, seconds)
                self._seconds, self._frames = seconds, self._frames + 1
                if self._buffer.tell() > self._max_bytes:
                    self._finish(f"It stopped at {self._max_bytes / 1e6:.0f} MB, its limit.")
            except Exception as error:  # the stream must continue, whatever happens to the film
                _log.warning("A frame could not be recorded.", exc_info=True)
                why = type(error).__name__
                self._finish(f"It ended early: a frame could not be recorded ({why}).")

    def _finish(self, ended: str) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        self._ended = ended
        try:
            writer.close()
        except Exception as error:  # as above: this runs in the stream's thread too
            _log.warning("A recording could not be finished.", exc_info=True)
            self._ended = f"It could not be finished and is lost ({type(error).__name__})."
        else:
            self._film = self._buffer.getvalue() if self._frames else None
        self._buffer = BytesIO()

    def _reset(self) -> None:
        self._finish("")
        self._buffer, self._film, self._start_s = BytesIO(), None, None
        self._seconds, self._frames, self._ended = 0.0, 0, ""
