"""Passes the frames of a media stream to the worker and back: the callback of a WebRTC track."""

import asyncio
import logging
import sys
from concurrent.futures import Future, ThreadPoolExecutor

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from fervt.live.recorder import Recorder
from fervt.live.worker import LiveWorker

PATIENCE_S = 3.0

# A model's hundreds of short operations each reacquire the interpreter, and wait this long for
# a thread that is busy in Python, such as one that draws a page. With Python's default of 5 ms, a
# single such thread makes a frame take many times as long.
_SWITCH_S = 0.0002

_log = logging.getLogger(__name__)


class CameraReader:
    """Processes the newest frame of a track, in its own thread.

    A track gives up for good on a callback that raises or takes ten seconds, as can happen on a
    machine that is overloaded or was asleep. So after `patience_s` the frame is returned unchanged
    while the worker finishes the last one.

    Args:
        worker: Reads the frames.
        recorder: Gets the annotated ones; may have recorded another track before.
        patience_s: As above.
    """

    def __init__(
        self,
        worker: LiveWorker,
        recorder: Recorder | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.worker = worker
        self.recorder = recorder or Recorder()
        self._patience_s = patience_s
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="live-reader")
        self._to_rgb = VideoReformatter()  # kept: a new one starts and ends threads
        self._pending: Future[av.VideoFrame | None] | None = None
        self._dropped = 0
        self._closed = False
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))

    async def read(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Processes all frames since the last call; never raises."""
        newest = frames[-1]
        if self._closed:  # the track may still call while it stops
            return [newest]
        self._dropped += len(frames) - 1
        try:
            if self._pending is None:
                self._pending = self._pool.submit(self._process, newest, self._dropped)
                self._dropped = 0
            else:
                self._dropped += 1
            waiting = asyncio.wrap_future(self._pending)
            await asyncio.wait([waiting], timeout=self._patience_s)
            if not waiting.done() or waiting.cancelled():
                return [newest]
            self._pending = None
            return [waiting.result() or newest]
        except Exception as error:
            self._pending = None
            self._count_failure("answered", error)
            return [newest]

    def close(self) -> None:
        """Ends the thread and the recording; called when the track ends."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.recorder.stop()
        self.worker.forget_frame()  # it is no longer shown

    def _process(self, frame: av.VideoFrame, dropped: int) -> av.VideoFrame | None:
        """The annotated frame; None if there is none."""
        try:
            rgb = self._to_rgb.reformat(frame, format="rgb24", threads=1)
            image = np.asarray(rgb.to_ndarray(), np.uint8)
        except Exception as error:
            self._count_failure("decoded", error, dropped)
            return None
        shown, _ = self.worker.process(image, dropped=dropped)
        if self._closed:
            self.worker.forget_frame()  # the track ended while it was being read
        self.recorder.add(shown)
        try:
            return av.VideoFrame.from_ndarray(shown, format="rgb24")
        except Exception as error:
            self._count_failure("sent back", error, processed=True)
            return None

    def _count_failure(
        self, what: str, error: Exception, dropped: int = 0, processed: bool = False
    ) -> None:
        """Counts the frame among those that could not be read."""
        _log.warning("A frame could not be %s.", what, exc_info=True)
        problem = f"A frame could not be {what} ({type(error).__name__})."
        self.worker.count_failure(problem, dropped, processed)
