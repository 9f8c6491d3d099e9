"""Video files through the live worker: an annotated copy for browsers, and a table.

A file on disk, or one in memory: uploads are never written to disk.
"""

import csv
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from fervt.faces import SEARCH_SIDE_PX
from fervt.files import write_aside
from fervt.film import Film, VideoError
from fervt.labels import Vocabulary
from fervt.live import FrameReading, LiveSettings, LiveWorker, csv_header, csv_rows
from fervt.live.annotate import Overlay, annotate_frame
from fervt.live.mp4 import Mp4Writer
from fervt.predict import Predictor
from fervt.progress import Progress

# Files can wait: every second frame is searched, whatever the cost, so that a file always gives
# the same table; and at a photo's resolution.
VIDEO_SETTINGS = LiveSettings(search_every=2, search_side_px=SEARCH_SIDE_PX, max_faces=50)

MAX_FILM_BYTES = 400_000_000  # of the annotated film, which is in memory until it is deleted


@dataclass(frozen=True)
class VideoSummary:
    """What was done.

    Attributes:
        frames: Frames in it, including failed ones.
        with_faces: Frames with at least one face.
        people: How many person numbers were assigned.
        seconds: Length of the part that was read.
        failed: Frames that could not be read, and stay unannotated.
        problem: Why the last of them could not be read; empty if all could.
        notes: What else could not be read, in sentences.
    """

    frames: int
    with_faces: int
    people: int
    seconds: float
    failed: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()


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

    An output path is either complete or absent, even if `on_frame` raises, which is how to stop it.
    Sound is left out.

    Args:
        source: A path, in any format that FFmpeg reads; or an open file, such as an upload in
            memory: MP4, MOV, WebM, Matroska, AVI, MPEG-TS or GIF.
        predictor: The checkpoint.
        out: Where to write the annotated video, an MP4 with H.264 in yuv420p; stays open if it is.
        table: Where to write a CSV with a row per frame and face, and one for a frame without.
        settings: Of the worker.
        on_frame: Called after each frame with its reading and the share that is done, 0..1.
        name: The source's name in messages; a path's own name by default.

    Returns:
        The counts.

    Raises:
        VideoError: The source cannot be read, has no readable frame, or frames that are too
            large, or the copy cannot be written.
    """
    name = name or (source.name if isinstance(source, Path) else "The video")
    worker = LiveWorker(predictor, settings)
    frames = with_faces = 0
    people: set[int] = set()
    seconds = 0.0
    try:
        with ExitStack() as stack:
            film = stack.enter_context(Film(source, name))
            writer = None
            if table is not None:
                aside = stack.enter_context(write_aside(table))
                writer = csv.writer(
                    stack.enter_context(aside.open("w", encoding="utf-8", newline=""))
                )
                writer.writerow(csv_header(predictor.classes))
            copy = None
            if out is not None:
                target = stack.enter_context(write_aside(out)) if isinstance(out, Path) else out
                copy = stack.enter_context(Mp4Writer(target))
            for frame in film:
                shown, reading = worker.process(frame.rgb, frame.time_s)
                frames += 1
                seconds = reading.time_s
                with_faces += bool(reading.faces)
                people |= {face.number for face in reading.faces}
                if copy is not None:
                    copy.add(shown, reading.time_s)
                if writer is not None:
                    writer.writerows(csv_rows(reading, predictor.classes))
                if on_frame is not None:
                    on_frame(reading, frame.share)
            if not frames:
                raise VideoError(f"{name} has no readable frame.")
            stats = worker.stats()
            if stats.failed == frames:
                raise VideoError(f"No frame of {name} could be read. {stats.problem}")
    except (OSError, av.error.FFmpegError) as error:
        raise VideoError(f"The results cannot be written ({_reason(error)}).") from error
    notes = film.notes
    if stats.crowded:
        most = settings.max_faces
        notes += (
            f"More than {most} faces: in {stats.crowded:,} frames only the largest were read.",
        )
    counts = frames, with_faces, len(people), seconds, stats.failed
    return VideoSummary(*counts, stats.problem, notes)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).rstrip(".")


@dataclass(frozen=True, eq=False)
class ReadFilm:
    """A film that was read.

    Attributes:
        readings: One per frame, in order.
        annotated_mp4: The annotated film.
        summary: Counts.
        vocabulary: Of the readings' probabilities.
        checkpoint: The name of the checkpoint that read it.
        overlay: The evidence drawn in it.
        bars: Whether the probabilities are drawn in it.
        seen_share: The share of a face's square that the checkpoint sees.
        sha256: Of the checkpoint's file.
    """

    readings: list[FrameReading]
    annotated_mp4: bytes
    summary: VideoSummary
    vocabulary: Vocabulary
    checkpoint: str
    overlay: Overlay
    bars: bool
    seen_share: float
    sha256: str


def read_film(
    report: Progress, predictor: Predictor, name: str, content: bytes, settings: LiveSettings
) -> ReadFilm:
    """Processes a video held in memory and writes none of it to disk.

    Args:
        report: Called after each frame.
        predictor: The checkpoint; passed itself, since a visitor's own has no file.
        name: The film's name in messages.
        content: A whole file in one of these formats.
        settings: Of the live worker; evidence is kept if they say so.

    Raises:
        VideoError: The film cannot be read, or its annotated copy is too large.
    """
    if not content:
        raise VideoError(f"{name} is empty.")
    readings: list[FrameReading] = []
    annotated = BytesIO()

    def take(reading: FrameReading, share: float) -> None:
        readings.append(reading)
        report(share, f"Frame {len(readings)}")
        _check_length(annotated, name)

    summary = read_video(BytesIO(content), predictor, annotated, None, settings, take, name)
    return ReadFilm(
        readings,
        annotated.getvalue(),
        summary,
        predictor.classes,
        predictor.name,
        settings.overlay,
        settings.bars,
        predictor.info.preprocess.crop,
        predictor.sha256,
    )


def frame_at(content: bytes, name: str, time_s: float) -> NDArray[np.uint8]:
    """A film's first frame at a time or after it, (h, w, 3) uint8 RGB.

    Args:
        content: The whole file.
        name: Its name in messages.
        time_s: Since the film's first frame.

    Raises:
        VideoError: It cannot be read, or ends before.
    """
    with Film(BytesIO(content), name, time_s) as film:
        for frame in film:
            return frame.rgb
    raise VideoError(f"{name} has no frame at {time_s:.1f} s.")


def redraw_film(
    report: Progress, name: str, content: bytes, film: ReadFilm, overlay: Overlay, bars: bool
) -> bytes:
    """Redraws a film's readings into it, without reading its faces again.

    Args:
        report: Called after each frame.
        name: The film's name in messages.
        content: The file that was read.
        film: Its readings, with evidence; its annotated copy is not used.
        overlay: The evidence to draw.
        bars: Whether to draw the probabilities beside a face.

    Returns:
        The annotated film, an MP4.

    Raises:
        VideoError: The film cannot be read, or its annotated copy is too large.
    """
    annotated = BytesIO()
    try:
        with Film(BytesIO(content), name) as frames, Mp4Writer(annotated) as copy:
            for frame, reading in zip(frames, film.readings, strict=False):
                shown = frame.rgb
                if not reading.problem:
                    evidence = [face.evidence for face in reading.faces]
                    shown = annotate_frame(
                        shown, reading.faces, evidence, film.seen_share, overlay, bars
                    )
                copy.add(shown, reading.time_s)
                report(frame.share, f"Frame {reading.index + 1}")
                _check_length(annotated, name)
    except (OSError, av.error.FFmpegError) as error:
        raise VideoError(f"The readings cannot be drawn ({_reason(error)}).") from error
    return annotated.getvalue()


def _check_length(annotated: BytesIO, name: str) -> None:
    if annotated.tell() > MAX_FILM_BYTES:
        raise VideoError(
            f"{name} is too long to be kept in memory; cut it, or read it with 'fervt video'."
        )
