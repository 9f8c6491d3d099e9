"""Video files through the live worker: an annotated copy for browsers, and a table.

A file on the disk, or one in memory: what people upload never lies on the disk.
"""

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from fervt.errors import FervtError
from fervt.files import write_aside
from fervt.images import MAX_PIXELS
from fervt.labels import Vocabulary
from fervt.live import FrameReading, LiveSettings, LiveWorker, csv_header, csv_rows
from fervt.live.mp4 import Mp4Writer
from fervt.predict import Predictor
from fervt.progress import Progress

# Files can wait: each second frame is searched, whatever that costs, so that a file always gives
# the same table.
VIDEO_SETTINGS = LiveSettings(search_every=2)

MAX_FILM_BYTES = 400_000_000  # of the annotated film, which is in memory until it is forgotten
_FALLBACK_FPS = 25
# FFmpeg also knows playlists, which make it open other files and addresses; a stranger's file in
# memory must be a film itself.
_FILMS = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"}


class VideoError(FervtError):
    """A video file that cannot be used or written."""


@dataclass(frozen=True)
class VideoSummary:
    """What was done.

    Attributes:
        frames: Frames in it, failed ones included.
        with_faces: Frames with at least one face.
        people: How many numbers were given.
        seconds: Length of what was read.
        failed: Frames that could not be read, and stay unannotated.
        problem: Why the last of them could not; empty where all could.
    """

    frames: int
    with_faces: int
    people: int
    seconds: float
    failed: int = 0
    problem: str = ""


def read_video(
    source: Path | BinaryIO,
    predictor: Predictor,
    out: Path | BinaryIO | None = None,
    table: Path | None = None,
    settings: LiveSettings = VIDEO_SETTINGS,
    on_frame: Callable[[FrameReading, float], None] | None = None,
    name: str = "",
) -> VideoSummary:
    """Reads the faces in a video.

    A path that it writes to is whole or not there: also where `on_frame` raises, which is how to
    stop it. The sound is left out.

    Args:
        source: A file of any kind that FFmpeg reads; or one that is open, such as an upload in
            memory: MP4, MOV, WebM, Matroska or AVI.
        predictor: The checkpoint.
        out: Where to write the annotated video, an MP4 with H.264 in yuv420p; stays open if it is.
        table: Where to write a CSV with a row a frame and face, and one for a frame without.
        settings: Of the worker.
        on_frame: Called after each frame with its reading and the share that is done, 0..1.
        name: What sentences call the source; a path's own name by default.

    Returns:
        What was read.

    Raises:
        VideoError: The source cannot be read, has no frame that can be, or frames that are too
            large, or the copy cannot be written.
    """
    name = name or (source.name if isinstance(source, Path) else "The video")
    worker = LiveWorker(predictor, settings)
    frames = with_faces = 0
    people: set[int] = set()
    seconds = 0.0
    try:
        with ExitStack() as stack:
            film = stack.enter_context(_open(source, name))
            writer = None
            if table is not None:
                aside = stack.enter_context(write_aside(table))
                writer = csv.writer(stack.enter_context(aside.open("w", newline="")))
                writer.writerow(csv_header(predictor.classes))
            copy = None
            if out is not None:
                target = stack.enter_context(write_aside(out)) if isinstance(out, Path) else out
                copy = stack.enter_context(Mp4Writer(target))
            for time_s, share, image in _frames(film, name):
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
                raise VideoError(f"{name} has no frame that can be read.")
            stats = worker.stats()
            if stats.failed == frames:
                raise VideoError(f"No frame of {name} could be read. {stats.problem}")
    except (OSError, av.error.FFmpegError) as error:
        raise VideoError(f"What was read cannot be written ({_reason(error)}).") from error
    return VideoSummary(frames, with_faces, len(people), seconds, stats.failed, stats.problem)


def _open(source: Path | BinaryIO, name: str) -> av.container.InputContainer:
    try:
        if isinstance(source, Path):
            film = av.open(str(source))
        else:
            film = av.open(source, "r", container_options=_FILMS)
    except FileNotFoundError as error:
        raise VideoError(f"There is no file {source}.") from error
    except (OSError, av.error.FFmpegError) as error:
        raise VideoError(f"{name} is no video that can be read.") from error
    problem = ""
    if not film.streams.video:
        problem = f"{name} has no picture."
    elif film.streams.video[0].width * film.streams.video[0].height > MAX_PIXELS:
        problem = f"{name} has frames of more than {MAX_PIXELS // 1_000_000} megapixels."
    if problem:
        film.close()
        raise VideoError(problem)
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
    share = 0.0
    for index, (frame, read_share) in enumerate(_decode(film, stream, name)):
        at_s = frame.time if frame.time is not None else index / fps
        start_s = at_s if start_s is None else start_s
        # What a browser recorded does not say how long it is.
        done = (at_s - start_s + 1 / fps) / length_s if length_s else read_share
        share = min(1.0, max(share, done))
        image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        # Phones store the picture as the sensor lies, and beside it how to turn it.
        turns = round(frame.rotation / 90) % 4
        yield at_s, share, np.ascontiguousarray(np.rot90(image, turns))


def _decode(
    film: av.container.InputContainer, stream: av.VideoStream, name: str
) -> Iterator[tuple[av.VideoFrame, float]]:
    """Each frame, and the share of the file's bytes that lie before it."""
    frames = 0
    share = 0.0
    try:
        for packet in film.demux(stream):
            if packet.pos is not None and film.size > 0:
                share = packet.pos / film.size
            for frame in packet.decode():
                yield frame, share
                frames += 1
    except (OSError, av.error.FFmpegError) as error:
        raise VideoError(f"{name} is damaged after {frames} frames.") from error


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).rstrip(".")


@dataclass(frozen=True, eq=False)
class ReadFilm:
    """A film that was read.

    Attributes:
        readings: One a frame, in order.
        annotated_mp4: The film with what was read drawn into it.
        summary: Counts.
        vocabulary: Of the readings' probabilities.
        checkpoint: The name of the checkpoint that read it.
    """

    readings: list[FrameReading]
    annotated_mp4: bytes
    summary: VideoSummary
    vocabulary: Vocabulary
    checkpoint: str


def read_film(
    report: Progress, predictor: Predictor, name: str, content: bytes, settings: LiveSettings
) -> ReadFilm:
    """Processes a video held in memory and writes none of it to disk.

    Args:
        report: Told of each frame.
        predictor: The checkpoint; itself, since a visitor's own has no file.
        name: What sentences call the film.
        content: A whole MP4, MOV, WebM, Matroska or AVI file.
        settings: Of the live worker.

    Raises:
        VideoError: The film cannot be read, or what comes of it is too large.
    """
    if not content:
        raise VideoError(f"{name} is empty.")
    readings: list[FrameReading] = []
    annotated = BytesIO()

    def take(reading: FrameReading, share: float) -> None:
        readings.append(reading)
        report(share, f"Frame {len(readings)}")
        if annotated.tell() > MAX_FILM_BYTES:
            raise VideoError(
                f"{name} is too long to be kept in memory; cut it, or read it with 'fervt video'."
            )

    summary = read_video(BytesIO(content), predictor, annotated, None, settings, take, name)
    return ReadFilm(readings, annotated.getvalue(), summary, predictor.classes, predictor.name)
