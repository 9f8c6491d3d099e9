"""The reading of a frame: plain values that every part of the live view shares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fervt.faces import Box


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence for one face, if it was requested and the checkpoint has it.

    Attributes:
        gwa_weights: (7, 7), mean 1.
        edge_index: (2, E), rows source and target.
        attention: (E,), 0..1; comes with `edge_index`.
    """

    gwa_weights: NDArray[np.float32] | None = None
    edge_index: NDArray[np.int64] | None = None
    attention: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class FaceReading:
    """One face in one frame.

    Attributes:
        number: The person's number, from 1, the same from frame to frame.
        box_xyxy_px: Left, top, right, bottom in pixels of the frame.
        angle_deg: How far the head, and the box with it, is tilted clockwise.
        classes: C labels, in the order of `probabilities`.
        probabilities: (C,) float32, smoothed over time, summing to 1.
        evidence: Kept so that it can be redrawn; None if it is not kept.
    """

    number: int
    box_xyxy_px: Box
    angle_deg: float
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    evidence: Evidence | None = None

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.classes[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        """Its probability, 0..1."""
        return float(self.probabilities.max())


@dataclass(frozen=True, eq=False)
class FrameReading:
    """One frame.

    Attributes:
        index: Number of the processed frame, from 0.
        time_s: Since the stream's start.
        faces: Those in the frame, by number.
        latency_ms: From the frame's arrival to its annotated copy.
        problem: Why nothing could be read; empty if all went well.
    """

    index: int
    time_s: float
    faces: tuple[FaceReading, ...]
    latency_ms: float
    problem: str = ""
