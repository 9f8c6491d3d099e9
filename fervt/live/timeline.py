"""The readings of the last few minutes: bounded, readable while frames come in, and as CSV."""

import csv
import threading
from collections import deque
from collections.abc import Iterator
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervt.labels import Vocabulary
from fervt.live.readings import FrameReading

KEPT_S = 300.0
_MAX_FRAMES = 12_000  # five minutes at 40 frames per second


class Timeline:
    """The readings of the last five minutes."""

    def __init__(self) -> None:
        self._readings: deque[FrameReading] = deque(maxlen=_MAX_FRAMES)
        self._lock = threading.Lock()

    def append(self, reading: FrameReading) -> None:
        """Adds the newest reading and drops old ones."""
        with self._lock:
            self._readings.append(reading)
            while self._readings[0].time_s < reading.time_s - KEPT_S:
                self._readings.popleft()

    def readings(self, last_s: float | None = None) -> list[FrameReading]:
        """A copy of the readings of the last seconds, or of all that are kept; oldest first."""
        with self._lock:
            kept = list(self._readings)
        if last_s is None or not kept:
            return kept
        return [reading for reading in kept if reading.time_s >= kept[-1].time_s - last_s]


def face_numbers(readings: list[FrameReading]) -> list[int]:
    """The numbers of all faces in some readings, the most frequent first."""
    counts: dict[int, int] = {}
    for reading in readings:
        for face in reading.faces:
            counts[face.number] = counts.get(face.number, 0) + 1
    return sorted(counts, key=lambda number: (-counts[number], number))


def face_series(
    readings: list[FrameReading], number: int, classes: int, points: int = 240
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """One face's probabilities over time.

    Args:
        readings: Oldest first.
        number: The face's.
        classes: C, how many classes there are.
        points: At most this many are returned, evenly spaced.

    Returns:
        Times (T,) in seconds and probabilities (T, C); rows of NaN where the face was absent.
    """
    step = max(1, -(-len(readings) // points))
    picked = readings[::-1][::step][::-1]  # the newest is always among them
    values = np.full((len(picked), classes), np.nan, np.float32)
    for row, reading in zip(values, picked, strict=True):
        for face in reading.faces:
            if face.number == number:
                row[:] = face.probabilities
    return np.array([reading.time_s for reading in picked]), values


def csv_header(vocabulary: Vocabulary) -> list[str]:
    """The columns of a timeline's CSV."""
    return [
        "frame",
        "time_s",
        "face",
        "left",
        "top",
        "right",
        "bottom",
        "angle_deg",
        "label",
        *vocabulary.classes,
    ]


def csv_rows(reading: FrameReading, vocabulary: Vocabulary) -> Iterator[list[Any]]:
    """A frame's rows: one per face, or a single one if there was none."""
    start = [reading.index, f"{reading.time_s:.3f}"]
    for face in reading.faces:
        shares = (f"{p:.4f}" for p in face.probabilities)
        yield [*start, face.number, *face.box_xyxy_px, face.angle_deg, face.label, *shares]
    if not reading.faces:
        yield [*start, *[""] * (7 + len(vocabulary))]


def readings_as_csv(readings: list[FrameReading], vocabulary: Vocabulary) -> str:
    """A complete CSV file."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(csv_header(vocabulary))
    for reading in readings:
        writer.writerows(csv_rows(reading, vocabulary))
    return text.getvalue()
