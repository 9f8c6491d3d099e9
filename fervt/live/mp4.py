"""Films that browsers can play: H.264 in yuv420p, written frame by frame to a file or memory.

Uses PyAV, since OpenCV's wheel cannot write H.264 and browsers do not play its other formats.
"""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.threads import codec_threads

_TICKS = Fraction(1, 90_000)  # finer than any frame rate, so that times are kept exactly
_NOMINAL_FPS = 25
_MOST_PX = 16_384  # a side, in H.264
_QUALITY = "23"  # x264's constant rate factor


class Mp4Writer:
    """Writes one film, without sound, at the size of the first frame.

    Args:
        target: A path, or a seekable file open for writing. A film written to a path can be played
            before it is fully loaded, at the cost of rereading the file once.
    """

    def __init__(self, target: Path | BinaryIO) -> None:
        to_path = isinstance(target, Path)
        self._film = av.open(
            str(target) if to_path else target,  # type: ignore[arg-type]
            "w",
            format="mp4",
            options={"movflags": "+faststart"} if to_path else {},
        )
        self._stream: av.VideoStream | None = None
        self._ticks = -1

    def __enter__(self) -> "Mp4Writer":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
            return
        with suppress(OSError, ValueError, av.error.FFmpegError):  # the output is discarded anyway
            self._film.close()

    def close(self) -> None:
        """Writes what is left; a target that was passed open stays open."""
        with self._film:
            if self._stream is not None:
                self._film.mux(self._stream.encode(None))

    def add(self, image_rgb: NDArray[np.uint8], time_s: float) -> None:
        """Adds a frame.

        Args:
            image_rgb: (h, w, 3) uint8 RGB; scaled to fit the first frame if its size differs.
            time_s: Since the film's start; later than the last frame's.
        """
        shrunk = min(1.0, _MOST_PX / max(image_rgb.shape[:2]))
        if shrunk < 1:
            size = (max(1, round(shrunk * side)) for side in image_rgb.shape[1::-1])
            image_rgb = np.asarray(cv2.resize(image_rgb, tuple(size)), np.uint8)
        # yuv420p requires even sides.
        height, width = (max(2, side - side % 2) for side in image_rgb.shape[:2])
        if image_rgb.shape[0] < 2 or image_rgb.shape[1] < 2:
            image_rgb = np.asarray(cv2.resize(image_rgb, (width, height)), np.uint8)
        if self._stream is None:
            options = {"crf": _QUALITY, "preset": "veryfast"}
            stream = self._film.add_stream("libx264", rate=_NOMINAL_FPS, options=options)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.time_base = _TICKS
            stream.codec_context.thread_count = codec_threads()
            self._stream = stream
        image = image_rgb[:height, :width]
        if (width, height) != (self._stream.width, self._stream.height):
            image = _fit(image, self._stream.width, self._stream.height)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        self._ticks = max(self._ticks + 1, round(time_s / _TICKS))
        frame.pts, frame.time_base = self._ticks, _TICKS
        self._film.mux(self._stream.encode(frame))


def _fit(image_rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scales a picture into a frame without stretching it; the rest stays black."""
    scale = min(width / image_rgb.shape[1], height / image_rgb.shape[0])
    size = max(1, round(image_rgb.shape[1] * scale)), max(1, round(image_rgb.shape[0] * scale))
    small = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)
    frame = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    frame[top : top + size[1], left : left + size[0]] = small
    return frame
