"""Frames of a media stream, to the worker and back: what a WebRTC track calls."""

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor

import av
import numpy as np

from fervt.live.worker import LiveWorker

PATIENCE_S = 3.0

_log = logging.getLogger(__name__)


class CameraReader:
    """Answers the newest frame of a track, in a thread of its own.

    A track gives up for good on a callback that raises or takes ten seconds, which a machine that
    was asleep or is overloaded may well need for a frame. So after `patience_s` the frame goes on
    as it came, while the worker finishes the last one.
    """

    def __init__(self, worker: LiveWorker, patience_s: float = PATIENCE_S) -> None:
        self.worker = worker
        self._patience_s = patience_s
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="live-reader")
        self._pending: Future[av.VideoFrame] | None = None
        self._dropped = 0

    async def read(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Takes all frames since the last call; never raises."""
        newest = frames[-1]
        self._dropped += len(frames) - 1
        try:
            if self._pending is None:
                self._pending = self._pool.submit(self._process, newest, self._dropped)
                self._dropped = 0
            else:
                self._dropped += 1
            waiting = asyncio.wrap_future(self._pending)
            await asyncio.wait([waiting], timeout=self._patience_s)
            if not waiting.done():
                return [newest]
            self._pending = None
            return [waiting.result()]
        except Exception:
            self._pending = None
            _log.warning("A frame could not be answered.", exc_info=True)
            return [newest]

    def close(self) -> None:
        """Lets the thread go; for the track's end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _process(self, frame: av.VideoFrame, dropped: int) -> av.VideoFrame:
        image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        shown, _ = self.worker.process(image, dropped=dropped)
        return av.VideoFrame.from_ndarray(shown, format="rgb24")
