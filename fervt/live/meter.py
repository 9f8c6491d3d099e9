"""How fast the stream runs and how long a frame takes, over the last few seconds."""

from collections import deque
from dataclasses import dataclass

import numpy as np

_WINDOW_S = 3.0
_MAX_FRAMES = 300


@dataclass(frozen=True)
class LiveStats:
    """Frame rates and latencies over the last three seconds, and counts since the start.

    Attributes:
        in_fps: Frames that arrived per second.
        processed_fps: Frames read per second.
        dropped_fps: Frames dropped per second because a newer one had arrived.
        latency_median_ms: From a frame's arrival to its annotated copy; 0 without frames.
        latency_p95_ms: The 95th percentile.
        frames: Read since the start, including failed ones.
        dropped: Dropped since the start.
        failed: Frames that could not be read, and stayed unannotated.
        problem: Why the last of them could not be read; empty if all could.
        crowded: Frames with more faces than are read.
    """

    in_fps: float
    processed_fps: float
    dropped_fps: float
    latency_median_ms: float
    latency_p95_ms: float
    frames: int
    dropped: int
    failed: int
    problem: str = ""
    crowded: int = 0


class Meter:
    """Counts frames."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int, float | None]] = deque(maxlen=_MAX_FRAMES)
        self._frames = self._dropped = self._failed = 0
        self._problem = ""
        self._crowded = 0

    def count(self, now_s: float, dropped: int, latency_ms: float | None, problem: str) -> None:
        """Counts one frame and those dropped before it.

        Args:
            now_s: When it was done.
            dropped: Frames dropped since the last one.
            latency_ms: None if it never reached the worker.
            problem: Why it could not be read; empty if it was.
        """
        self._recent.append((now_s, dropped, latency_ms))
        self._frames += 1
        self._dropped += dropped
        if problem:
            self.fail(problem)

    def fail(self, problem: str) -> None:
        """Records that a frame that was already counted stayed unannotated."""
        self._failed += 1
        self._problem = problem

    def count_crowd(self) -> None:
        """Records that a frame had more faces than are read."""
        self._crowded += 1

    def stats(self, now_s: float) -> LiveStats:
        """The current statistics."""
        recent = [frame for frame in self._recent if frame[0] > now_s - _WINDOW_S]
        # In the first seconds, or when the buffer is full, the window is as long as possible.
        span_s = max(now_s - self._recent[0][0], 0.5) if self._recent else _WINDOW_S
        span_s = min(span_s, _WINDOW_S)
        dropped = sum(frame[1] for frame in recent)
        latencies = [frame[2] for frame in recent if frame[2] is not None] or [0.0]
        return LiveStats(
            in_fps=(len(recent) + dropped) / span_s,
            processed_fps=len(recent) / span_s,
            dropped_fps=dropped / span_s,
            latency_median_ms=float(np.median(latencies)),
            latency_p95_ms=float(np.percentile(latencies, 95)),
            frames=self._frames,
            dropped=self._dropped,
            failed=self._failed,
            problem=self._problem,
            crowded=self._crowded,
        )
