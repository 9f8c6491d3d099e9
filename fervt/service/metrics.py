"""Prometheus metrics, summed over the workers.

`prometheus_client` shares them through files in `PROMETHEUS_MULTIPROC_DIR`, which must be set
before this module is imported (`fervt serve` does); without it, one process counts in memory.
"""

import os
from http import HTTPMethod

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

_LATENCY_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)
_METHODS = {m.value for m in HTTPMethod}


class Metrics:
    """Counters and histograms. Labels come from short fixed lists, never from the caller."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fervt_requests",
            "Answers by method, route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._latency = Histogram(
            "fervt_request_seconds",
            "Time to answer by route.",
            ("route",),
            buckets=_LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self._forward = Histogram(
            "fervt_forward_faces",
            "Faces in one forward pass.",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=self._registry,
        )
        self.faces = Counter("fervt_faces", "Faces classified.", registry=self._registry)
        self.frames = Counter("fervt_frames", "Frames from live pages.", registry=self._registry)
        self.dropped = Counter(
            "fervt_frames_dropped", "Dropped frames from live pages.", registry=self._registry
        )
        self.errors = Counter("fervt_errors", "Answers with status 500.", registry=self._registry)

    def count_answer(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answer; `route` is the rule that matched, not the path."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)
        if status == 500:
            self.errors.inc()

    def count_forward(self, faces: int) -> None:
        """Counts one forward pass."""
        self._forward.observe(faces)
        self.faces.inc(faces)

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
