"""The live worker: a frame in, an annotated frame and a typed reading out.

Independent of cameras and pages. One thread calls `process` with frames; any thread may
read the latest result, the timeline and the statistics, or change the settings, at any time.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fervt import predict
from fervt.errors import FervtError
from fervt.explain import edge_attention
from fervt.faces import Box, FaceDetector
from fervt.faces.found import Search
from fervt.images import check_image
from fervt.live.annotate import Overlay, annotate_frame
from fervt.live.meter import LiveStats, Meter
from fervt.live.readings import Evidence, FaceReading, FrameReading
from fervt.live.timeline import Timeline
from fervt.live.tracker import Track, Tracker
from fervt.predict import Predictor, Reading, cut_face

_EVIDENCE: dict[Overlay, tuple[predict.Evidence, ...]] = {
    "none": (),
    "gwa": ("gwa",),
    "graph": ("gat",),
}
_ALL_EVIDENCE: tuple[predict.Evidence, ...] = ("gwa", "gat")

# The longest time between searches, so the longest wait for a new face.
_MAX_BETWEEN = 8  # frames
_MAX_BETWEEN_S = 0.25
_SEARCH_SHARE = 0.25
_SAME_SHAPE = 0.03

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveSettings:
    """What a viewer can change while the stream runs.

    Attributes:
        overlay: The evidence drawn on each face.
        half_life_s: After this time, a reading counts half as much; 0 turns smoothing off.
        mirror: Whether frames are mirrored first, as people expect when they see themselves.
        bars: Whether the probabilities are drawn next to each face.
        search_every: The interval between searches for faces, in frames; None: chosen from
            the cost of a search on this machine.
        search_side_px: The size at which frames are searched, see `FaceDetector`: at 320, faces
            from a twelfth of the frame's width are found. Fixed when the worker is created.
        max_faces: The largest faces read per frame.
        keep_evidence: Whether readings keep all evidence, not just what is drawn, so that it can be
            redrawn differently later.
    """

    overlay: Overlay = "none"
    half_life_s: float = 0.4
    mirror: bool = False
    bars: bool = True
    search_every: int | None = None
    search_side_px: int = 320
    max_faces: int = 6
    keep_evidence: bool = False


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The original frame (mirrored if set), (h, w, 3) uint8 RGB, and its reading."""

    image_rgb: NDArray[np.uint8]
    reading: FrameReading


class LiveWorker:
    """Reads one stream.

    Args:
        predictor: A warmed checkpoint; may be shared with other workers.
        settings: Initial settings; assign `settings` to change them.
        clock: Returns seconds; replaced in tests.
        search: The face detector; by default the best one installed.

    Raises:
        ConfigError: As `FaceDetector`.
    """

    def __init__(
        self,
        predictor: Predictor,
        settings: LiveSettings | None = None,
        clock: Callable[[], float] = time.perf_counter,
        search: Search | None = None,
    ) -> None:
        self.predictor = predictor
        self.settings = settings or LiveSettings()
        self.timeline = Timeline()
        self._clock = clock
        self._detector = FaceDetector(self.settings.search_side_px, persistent=False, search=search)
        self._tracker = Tracker()
        self._size: tuple[int, int] | None = None
        self._mirrored = self.settings.mirror
        self._smoothed: dict[int, tuple[float, NDArray[np.float32]]] = {}
        self._meter = Meter()
        self._lock = threading.Lock()
        self._latest: Snapshot | None = None
        self._start_s: float | None = None
        self._time_s = 0.0
        self._frames = 0
        self._until_search = 0
        self._searched_s = 0.0
        self._crowded = False
        self._search_ms = _Average()
        self._reading_ms = _Average()

    @property
    def latest(self) -> Snapshot | None:
        """The newest frame that could be read."""
        with self._lock:
            return self._latest

    def forget_frame(self) -> None:
        """Drops the newest frame; its reading stays in the timeline."""
        with self._lock:
            self._latest = None

    def stats(self) -> LiveStats:
        """Speed and counts so far."""
        with self._lock:
            return self._meter.stats(self._clock())

    @property
    def search_every(self) -> int:
        """The interval between searches for faces, in frames.

        Chosen so that searches take a quarter of the time that the rest takes, whatever the
        machine's load.
        """
        if self.settings.search_every is not None:
            return self.settings.search_every
        search_ms, rest_ms = self._search_ms.value, self._reading_ms.value
        if search_ms is None or rest_ms is None:
            return 1
        between = np.ceil(search_ms / (_SEARCH_SHARE * rest_ms))
        return int(np.clip(between, 1, _MAX_BETWEEN))

    def process(
        self, image_rgb: NDArray[np.uint8], time_s: float | None = None, dropped: int = 0
    ) -> tuple[NDArray[np.uint8], FrameReading]:
        """Reads one frame. Never raises: a frame that cannot be read is returned unchanged.

        Args:
            image_rgb: (h, w, 3) uint8 RGB.
            time_s: The frame's time; the clock's by default.
            dropped: Frames dropped since the last one.

        Returns:
            The annotated frame (h, w, 3) uint8 RGB, and its reading.
        """
        began_s = self._clock()
        at_s = began_s if time_s is None else time_s
        if self._start_s is None:
            self._start_s = self._time_s = at_s
        at_s = self._time_s = max(at_s, self._time_s)
        settings = self.settings  # one for the whole frame
        faces: tuple[FaceReading, ...] = ()
        shown, problem = image_rgb, ""
        try:
            image_rgb = check_image(image_rgb)
            if settings.mirror:
                image_rgb = np.ascontiguousarray(image_rgb[:, ::-1])
            shown = image_rgb
            faces, evidence = self._read(image_rgb, at_s, settings)
            share = self.predictor.info.preprocess.crop
            overlay, bars = settings.overlay, settings.bars
            shown = annotate_frame(image_rgb, faces, evidence, share, overlay, bars)
        except FervtError as error:
            problem = str(error)
        except Exception as error:  # the stream must continue, whatever a frame contains
            _log.warning("A frame could not be read.", exc_info=True)
            problem = f"A frame could not be read ({type(error).__name__})."
        now_s = self._clock()
        latency_ms = 1000 * (now_s - began_s)
        reading = FrameReading(self._frames, at_s - self._start_s, faces, latency_ms, problem)
        self._frames += 1
        self.timeline.append(reading)
        with self._lock:
            self._meter.count(now_s, dropped, latency_ms, problem)
            if not problem:
                self._latest = Snapshot(image_rgb, reading)
        return shown, reading

    def count_failure(self, problem: str, dropped: int = 0, processed: bool = False) -> None:
        """Counts a frame that stayed unannotated for a reason outside `process`.

        Args:
            problem: The reason, in a sentence.
            dropped: Frames dropped since the last one.
            processed: Whether it went through `process`, which counted it as a frame.
        """
        with self._lock:
            if processed:
                self._meter.fail(problem)
            else:
                self._meter.count(self._clock(), dropped, None, problem)

    def _read(
        self, image_rgb: NDArray[np.uint8], time_s: float, settings: LiveSettings
    ) -> tuple[tuple[FaceReading, ...], list[Evidence | None]]:
        found = None
        if settings.mirror != self._mirrored:
            self._mirrored = settings.mirror
            if self._size is not None:
                self._tracker.mirror(self._size[1])
            self._until_search = 0
        height, width = image_rgb.shape[:2]
        if self._size is not None and _is_other_shape(self._size, (height, width)):
            self._tracker = Tracker(self._tracker.numbers)  # another picture, not another size
            self._until_search = 0
        elif self._size is not None and self._size != (height, width):
            self._tracker.scale(width / self._size[1], height / self._size[0])
        self._size = height, width
        late = settings.search_every is None and time_s - self._searched_s > _MAX_BETWEEN_S
        if self._until_search == 0 or late:
            began_s = self._clock()
            found = self._detector.detect(image_rgb)
            self._crowded = len(found) > settings.max_faces
            found = found[: settings.max_faces]
            self._search_ms.take(1000 * (self._clock() - began_s))
            self._searched_s = time_s
            self._until_search = self.search_every  # not if it failed: the next frame searches
        self._until_search -= 1
        if self._crowded:
            with self._lock:
                self._meter.count_crowd()
        places = _places_in(self._tracker.step(time_s, found), image_rgb)
        if not places:
            return (), []
        began_s = self._clock()
        asked = _ALL_EVIDENCE if settings.keep_evidence else _EVIDENCE[settings.overlay]
        probabilities, evidence = self._classify(image_rgb, list(places.values()), asked)
        self._reading_ms.take(1000 * (self._clock() - began_s))
        classes = self.predictor.classes.classes
        smoothed = self._smooth(list(places), probabilities, time_s, settings.half_life_s)
        kept = evidence if settings.keep_evidence else [None] * len(evidence)
        return tuple(
            FaceReading(number, *place, classes, shares, one)
            for (number, place), shares, one in zip(places.items(), smoothed, kept, strict=True)
        ), evidence

    def _classify(
        self,
        image_rgb: NDArray[np.uint8],
        places: Sequence[tuple[Box, float]],
        asked: tuple[predict.Evidence, ...],
    ) -> tuple[NDArray[np.float32], list[Evidence | None]]:
        faces = np.stack([cut_face(image_rgb, *place) for place in places])
        readings = self.predictor.classify(faces, asked)
        probabilities = np.stack([reading.probabilities for reading in readings])
        return probabilities, [_to_draw(reading) for reading in readings]

    def _smooth(
        self,
        numbers: list[int],
        probabilities: NDArray[np.float32],
        time_s: float,
        half_life_s: float,
    ) -> list[NDArray[np.float32]]:
        """Exponential smoothing of each face over elapsed time, not over frames."""
        smoothed = {}
        for number, now in zip(numbers, probabilities, strict=True):
            before_s, before = self._smoothed.get(number, (time_s, now))
            kept = 0.5 ** ((time_s - before_s) / half_life_s) if half_life_s > 0 else 0.0
            smoothed[number] = time_s, np.float32(kept) * before + np.float32(1 - kept) * now
        self._smoothed = smoothed
        return [shares for _, shares in smoothed.values()]


def _to_draw(reading: Reading) -> Evidence | None:
    """The requested evidence that can be drawn; None if the checkpoint has none."""
    if reading.gwa is None and reading.gat is None:
        return None
    attention = None if reading.gat is None else edge_attention(reading.gat)
    return Evidence(reading.gwa, reading.edge_index, attention)


def _is_other_shape(before: tuple[int, int], now: tuple[int, int]) -> bool:
    """Whether the aspect ratios differ by more than rounding."""
    return abs(before[0] * now[1] / (before[1] * now[0]) - 1) > _SAME_SHAPE


class _Average:
    """A running average that follows a change within about ten values."""

    def __init__(self) -> None:
        self.value: float | None = None

    def take(self, value: float) -> None:
        self.value = value if self.value is None else 0.85 * self.value + 0.15 * value


def _places_in(
    tracks: Sequence[Track], image_rgb: NDArray[np.uint8]
) -> dict[int, tuple[Box, float]]:
    """Boxes in whole pixels and tilts, by number, without faces that have left the frame."""
    height, width = image_rgb.shape[:2]
    places: dict[int, tuple[Box, float]] = {}
    for track in tracks:
        left, top, right, bottom = (round(float(edge)) for edge in track.box)
        center = (left + right) / 2, (top + bottom) / 2
        if left < right and top < bottom and 0 <= center[0] < width and 0 <= center[1] < height:
            places[track.number] = (left, top, right, bottom), track.angle_deg
    return places
