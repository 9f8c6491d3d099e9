"""Video files through the live worker: an annotated copy that browsers play, and a table.

Read and written with PyAV, since OpenCV's wheel cannot write H.264 and browsers do not play what it
can write. The sound is left out.
"""

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from fervt.errors import FervtError
from fervt.files import write_aside
from fervt.live import FrameReading, LiveSettings, LiveWorker, csv_header, csv_rows
from fervt.predict import Predictor

# Files can wait: each second frame is searched, whatever that costs, so that a file always gives
# the same table.
VIDEO_SETTINGS = LiveSettings(search_every=2)

_TICKS = Fraction(1, 90_000)  # finer than any frame rate, so that times are kept as they are
_FALLBACK_FPS = 25
_QUALITY = "23"  # x264's constant rate factor


class VideoError(FervtError):
    """A video file that cannot be used or written."""


@dataclass(frozen=True)
class VideoSummary:
    """What was done.

    Attributes:
        frames: Frames read.
        with_faces: Frames with at least one face.
        people: How many numbers were given.
        seconds: Length of what was read.
    """

    frames: int
    with_faces: int
    people: int
    seconds: float


def read_video(
    source: Path,
    predictor: Predictor,
    out: Path | None = None,
    table: Path | None = None,
    settings: LiveSettings = VIDEO_SETTINGS,
    on_frame: Callable[[FrameReading, float], None] | None = None,
) -> VideoSummary:
    """Reads the faces in a video.

    What it writes is whole or not there: also where `on_frame` raises, which is how to stop it.

    Args:
        source: A file of any kind that FFmpeg reads.
        predictor: The checkpoint.
        out: Where to write the annotated video, an MP4 with H.264 in yuv420p.
        table: Where to write a CSV with a row a frame and face, and one for a frame without.
        settings: Of the worker.
        on_frame: Called after each frame with its reading and the share that is done, 0..1.

    Returns:
        What was read.

    Raises:
        VideoError: The source cannot be read or has no frame, or the copy cannot be written.
    """
    worker = LiveWorker(predictor, settings)
    frames = with_faces = 0
    people: set[int] = set()
    seconds = 0.0
    try:
        with ExitStack() as stack:
            film = stack.enter_context(_open(source))
            writer = None
            if table is not None:
                aside = stack.enter_context(write_aside(table))
                writer = csv.writer(stack.enter_context(aside.open("w", newline="")))
                writer.writerow(csv_header(predictor.classes))
            copy = None
            if out is not None:
                copy = stack.enter_context(_Copy(stack.enter_context(write_aside(out))))
            for time_s, share, image in _frames(film, source.name):
                shown, reading = worker.process(image, time_s)
                frames += 1
                seconds = reading.time_s
                with_faces += bool(reading.faces)
                people |= {face.number for face in reading.faces}
                if copy is not None:
                    copy.add(shown, reading.time_s)
                if writer is not None:
                    writer.writerows(csv_rows(reading, predictor.classes))
                if on_frame is not None:
                    on_frame(reading, share)
            if not frames:
                raise VideoError(f"{source.name} has no frame that can be read.")
    except (OSError, av.error.FFmpegError) as error:
        raise VideoError(f"What was read cannot be written ({_reason(error)}).") from error
    return VideoSummary(frames, with_faces, len(people), seconds)


def _open(source: Path) -> av.container.InputContainer:
    try:
        film = av.open(str(source))
    except FileNotFoundError as error:
        raise VideoError(f"There is no file {source}.") from error
    except (OSError, av.error.FFmpegError) as error:
        raise VideoError(f"{source.name} is no video that can be read.") from error
    if not film.streams.video:
        film.close()
        raise VideoError(f"{source.name} has no picture.")
    return film


def _frames(
    film: av.container.InputContainer, name: str
) -> Iterator[tuple[float, float, NDArray[np.uint8]]]:
    """Each frame's time, the share that is done, and its pixels (h, w, 3) uint8 RGB, upright."""
    stream = film.streams.video[0]
    stream.thread_type = "AUTO"
    fps = float(stream.average_rate or _FALLBACK_FPS)
    length_s = film.duration / av.time_base if film.duration else 0.0
    start_s: float | None = None
    decoded = film.decode(stream)
    for index in count():
        try:
            frame = next(decoded, None)
        except (OSError, av.error.FFmpegError) as error:
            raise VideoError(f"{name} is damaged after {index} frames.") from error
        if frame is None:
            return
        at_s = frame.time if frame.time is not None else index / fps
        start_s = at_s if start_s is None else start_s
        share = min(1.0, (at_s - start_s + 1 / fps) / length_s) if length_s else 0.0
        image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        # Phones store the picture as the sensor lies, and beside it how to turn it.
        turns = round(frame.rotation / 90) % 4
        yield at_s, share, np.ascontiguousarray(np.rot90(image, turns))


class _Copy:
    """The annotated video: opened with the first frame's size, which all must have."""

    def __init__(self, path: Path) -> None:
        self._film = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream: av.VideoStream | None = None
        self._ticks = -1

    def __enter__(self) -> "_Copy":
        return self

    def __exit__(self, *_: object) -> None:
        with self._film:
            if self._stream is not None:
                self._film.mux(self._stream.encode(None))

    def add(self, image_rgb: NDArray[np.uint8], time_s: float) -> None:
        height, width = (side - side % 2 for side in image_rgb.shape[:2])  # yuv420p has no odd ones
        if self._stream is None:
            options = {"crf": _QUALITY, "preset": "veryfast"}
            stream = self._film.add_stream("libx264", rate=_FALLBACK_FPS, options=options)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.time_base = _TICKS
            self._stream = stream
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image_rgb[:height, :width]), format="rgb24"
        )
        if (width, height) != (self._stream.width, self._stream.height):
            frame = frame.reformat(self._stream.width, self._stream.height)
        self._ticks = max(self._ticks + 1, round(time_s / _TICKS))
        frame.pts, frame.time_base = self._ticks, _TICKS
        self._film.mux(self._stream.encode(frame))


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).rstrip(".")
