"""Reading an uploaded video, as a job: bytes in, readings and the annotated film's bytes out."""

from dataclasses import dataclass
from io import BytesIO

from fervt.jobs.child import Report
from fervt.labels import Vocabulary
from fervt.live import FrameReading, LiveSettings
from fervt.predict import Predictor
from fervt.video import VideoError, VideoSummary, read_video

MAX_FILM_BYTES = 400_000_000  # of the annotated film, which is in memory until it is forgotten


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
    report: Report, predictor: Predictor, name: str, content: bytes, settings: LiveSettings
) -> ReadFilm:
    """Reads a film that lies in memory, and writes none of it to the disk.

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
