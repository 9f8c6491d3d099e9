"""Expressions in a stream of frames: the worker and its record of the faces.

Independent of pages and cameras: frames arrive as arrays, from the webcam's thread, a video file or
a test, and are returned as arrays with a typed reading.
"""

from fervt.live.annotate import OVERLAYS, Overlay, track_color
from fervt.live.meter import LiveStats
from fervt.live.readings import FaceReading, FrameReading
from fervt.live.timeline import Timeline, csv_header, csv_rows
from fervt.live.worker import LiveSettings, LiveWorker, Snapshot

__all__ = [
    "OVERLAYS",
    "FaceReading",
    "FrameReading",
    "LiveSettings",
    "LiveStats",
    "LiveWorker",
    "Overlay",
    "Snapshot",
    "Timeline",
    "csv_header",
    "csv_rows",
    "track_color",
]
