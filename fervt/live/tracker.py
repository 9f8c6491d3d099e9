"""Matches the faces of successive frames, so that each person keeps a number.

Detectors cost more than classifiers, so they run only on every k-th frame; in between, each face's
motion is extrapolated (an alpha-beta filter over its box). Detections are matched to these
predictions by overlap, so that two people who cross keep their numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from fervt.faces import FoundFace

_POSITION_GAIN, _SPEED_GAIN = 0.7, 0.35
_MIN_OVERLAP = 0.1
_REACH, _MAX_REACH = 3.0, 2.0  # how far a face may jump, in box widths: per second, and at most
_FORGIVEN_MISSES, _FORGIVEN_S = 1, 0.5  # the cascade sometimes loses a face for a moment
_PATIENCE_S, _PATIENCE_MISSES = 1.0, 2  # a face hidden for longer has left
_RETURN_S, _RETURN_REACH = 10.0, 1.5  # back within this time and distance: the same person
_ANY = 0.5  # what any pair is worth: a head in a row of people moves as they do
_RETURN_SIZE = 1.6  # and if its size differs by no more than this factor
_COAST_S = 0.4  # motion is not extrapolated for longer
_FASTEST = 3.0  # box widths per second: anything faster is detector jitter


@dataclass(eq=False)
class Track:
    """One person.

    Attributes:
        number: From 1, in the order of appearance.
        box: (4,) float, left, top, right, bottom in pixels, where the face is now.
        speed: (4,) float, of the box's edges in pixels per second.
        time_s: The time for which `box` holds.
        seen_s: When the detector last found it.
        angle_deg: How far the head is tilted clockwise, as last detected.
        misses: How many times in a row the detector has not found it.
    """

    number: int
    box: np.ndarray
    time_s: float
    seen_s: float
    angle_deg: float = 0.0
    speed: np.ndarray = field(default_factory=lambda: np.zeros(4))
    misses: int = 0

    @property
    def visible(self) -> bool:
        """Whether the face counts as present."""
        recent = self.misses <= _FORGIVEN_MISSES and self.time_s - self.seen_s <= _FORGIVEN_S
        return not self.misses or recent

    def move_on(self, time_s: float) -> None:
        """Moves the box to its predicted place at a time."""
        until_s = self.seen_s + _COAST_S
        self.box = self.box + self.speed * (min(time_s, until_s) - min(self.time_s, until_s))
        self.time_s = time_s

    def correct(self, box: np.ndarray, angle_deg: float) -> None:
        """Updates the track with a detection at its current time."""
        self.angle_deg = angle_deg
        error = box - self.box
        elapsed_s = self.time_s - self.seen_s
        if elapsed_s > 0:
            limit = _FASTEST * (box[2] - box[0])
            speed = self.speed + _SPEED_GAIN * error / elapsed_s
            self.speed = np.clip(speed, -limit, limit)
        self.box = self.box + _POSITION_GAIN * error
        self.seen_s, self.misses = self.time_s, 0


class Tracker:
    """Follows the faces of one stream.

    Args:
        numbers: How many were already assigned.

    Attributes:
        numbers: How many have been assigned.
    """

    def __init__(self, numbers: int = 0) -> None:
        self._tracks: list[Track] = []
        self._gone: list[Track] = []
        self.numbers = numbers

    def step(self, time_s: float, found: Sequence[FoundFace] | None = None) -> list[Track]:
        """Advances to the next frame.

        Args:
            time_s: Of the frame; never decreases.
            found: The faces detected in it; None if the detector did not run.

        Returns:
            The visible tracks, by number.
        """
        for track in self._tracks:
            track.move_on(time_s)
        if found is not None:
            self._take(found, time_s)
        return [track for track in self._tracks if track.visible]

    def scale(self, x: float, y: float) -> None:
        """Follows a stream whose frames changed size, as a browser's do on a slow connection.

        Args:
            x: The new width as a multiple of the old one.
            y: The new height as a multiple of the old one.
        """
        for track in [*self._tracks, *self._gone]:
            track.box = track.box * (x, y, x, y)
            track.speed = track.speed * (x, y, x, y)

    def mirror(self, width: int) -> None:
        """Follows a stream whose frames, `width` pixels wide, were flipped horizontally."""
        for track in [*self._tracks, *self._gone]:
            left, top, right, bottom = track.box
            track.box = np.array([width - right, top, width - left, bottom])
            track.angle_deg = -track.angle_deg
            left, top, right, bottom = track.speed
            track.speed = np.array([-right, top, -left, bottom])

    def _take(self, faces: Sequence[FoundFace], time_s: float) -> None:
        found = [np.array(face.box_xyxy_px, float) for face in faces]
        boxes = [track.box for track in self._tracks]
        pairs = _match(overlap(boxes, found), _MIN_OVERLAP)
        # If frames are far apart, a face may have moved by more than its own size.
        reaches = [min(_REACH * (time_s - t.seen_s), _MAX_REACH) for t in self._tracks]
        nearness = np.reshape(reaches, (-1, 1)) - distance(boxes, found)
        nearness[list(pairs)] = nearness[:, list(pairs.values())] = -1
        pairs |= _match(nearness, 0.0)
        for i, track in enumerate(self._tracks):
            if i in pairs:
                track.correct(found[pairs[i]], faces[pairs[i]].angle_deg)
            else:
                track.misses += 1
        left = [
            track
            for track in self._tracks
            if track.misses > _PATIENCE_MISSES and time_s - track.seen_s > _PATIENCE_S
        ]
        self._tracks = [track for track in self._tracks if track not in left]
        self._gone = [t for t in [*self._gone, *left] if time_s - t.seen_s <= _RETURN_S]
        new = [j for j in range(len(found)) if j not in pairs.values()]
        for j, number in zip(new, self._number([found[j] for j in new]), strict=True):
            track = Track(number, found[j], time_s, time_s, faces[j].angle_deg)
            self._tracks.append(track)

    def _number(self, boxes: Sequence[np.ndarray]) -> list[int]:
        """Numbers for newly found faces: people who have come back get their old ones."""
        nearness = _RETURN_REACH - distance([track.box for track in self._gone], boxes)
        for row, track in zip(nearness, self._gone, strict=True):
            sizes = np.array([box[2] - box[0] for box in boxes]) / (track.box[2] - track.box[0])
            row[(sizes > _RETURN_SIZE) | (sizes < 1 / _RETURN_SIZE)] = -1
        back = {j: self._gone[i] for i, j in _match(nearness, 0.0).items()}
        self._gone = [track for track in self._gone if track not in back.values()]
        numbers = []
        for j in range(len(boxes)):
            if j not in back:
                self.numbers += 1
            numbers.append(back[j].number if j in back else self.numbers)
        return numbers


def _match(scores: np.ndarray, least: float) -> dict[int, int]:
    """The pairs of rows and columns with the highest total score, all at least a minimum."""
    good = scores >= least
    # A pair that is none is worth nothing: two poor pairs must not beat a perfect one.
    gains = np.where(good, scores + _ANY, 0.0)
    pairs = zip(*linear_sum_assignment(gains, maximize=True), strict=True)
    return {int(i): int(j) for i, j in pairs if good[i, j]}


def distance(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> np.ndarray:
    """Distances between the centers of boxes, in widths of the first: (M, N)."""
    a, b = np.reshape(first, (-1, 1, 4)), np.reshape(second, (1, -1, 4))
    apart = np.linalg.norm((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2, axis=-1)
    return apart / np.maximum(a[..., 2] - a[..., 0], 1e-9)


def overlap(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> np.ndarray:
    """Intersection over union of every pair of boxes.

    Args:
        first: M boxes (4,), left, top, right, bottom.
        second: N boxes.

    Returns:
        (M, N), 0..1.
    """
    a, b = np.reshape(first, (-1, 1, 4)), np.reshape(second, (1, -1, 4))
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    areas = [np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b)]
    return shared / np.maximum(areas[0] + areas[1] - shared, 1e-9)
