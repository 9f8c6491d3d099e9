"""How far a head is tilted in the image plane, and where its crop lies.

Landmark networks learned on upright heads: at a tilt of 30 degrees they report 23, at 45 about 20.
So a tilted face is turned back by what they say and searched again, until it is upright; there the
detector's box means what it means for everybody else.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.faces.crop import crop_face, cut_tilted, tilt_matrix
from fervt.faces.found import Framing, Search, Sighting

MIN_TILT_DEG = 10.0  # less costs no accuracy, and the crop stays as sharp as it was
_ROUNDS = 4
_UPRIGHT_DEG = 4.0
_SURE = 0.9  # an upright face scores more; one that lies on its side less, with landmarks that lie
_TURNS, _MARGIN = (30.0, -30.0, 90.0, -90.0, 180.0), 0.02  # tried then; what they must be better by
_PATCH_PX, _FACES = 160, 1.8  # the side of what is searched again: in pixels, and in faces


@dataclass(frozen=True)
class Placed:
    """A face's crop: a square that may be tilted.

    Attributes:
        x: Of its center, in pixels.
        y: Of its center, in pixels.
        side: In pixels.
        angle_deg: How far it is tilted clockwise.
        score: The detector's.
    """

    x: float
    y: float
    side: float
    angle_deg: float
    score: float


def tilt_of(landmarks: NDArray[np.float64]) -> float:
    """The in-plane angle of a face in degrees, clockwise positive.

    From the line of the eyes, the line of the mouth, and the line between them, each as long as it
    appears: in a face that looks aside the first two are short.

    Args:
        landmarks: (5, 2), as `Sighting.landmarks`.
    """
    left_eye, right_eye, _, left_mouth, right_mouth = landmarks
    across = (right_eye - left_eye) + (right_mouth - left_mouth)
    x, y = (left_mouth + right_mouth - left_eye - right_eye) / 2
    across = across + np.array([y, -x])  # downward, turned by 90 degrees, points across too
    return float(np.degrees(np.arctan2(across[1], across[0])))


def place(search: Search, image_rgb: NDArray[np.uint8], seen: Sighting) -> Placed:
    """Finds a face's crop, upright where the detector has landmarks.

    Args:
        search: What saw the face.
        image_rgb: (h, w, 3) uint8, the image in which it was seen.
        seen: The face.
    """
    straight = _frame(seen, search.framing)
    if seen.landmarks is None:
        return straight
    tilt = tilt_of(seen.landmarks)
    if abs(tilt) < MIN_TILT_DEG and seen.score >= _SURE:
        return straight
    around = _Around(search, image_rgb, seen)
    looks = [(seen.score, tilt)]
    if seen.score < _SURE:
        for angle in _TURNS:
            again = around.look(angle)
            if again is not None and again.landmarks is not None:
                looks.append((again.score - _MARGIN, angle + tilt_of(again.landmarks)))
    return around.straighten(straight, max(looks)[1])


class _Around:
    """A face and what surrounds it, ready to be searched again at any angle."""

    def __init__(self, search: Search, image_rgb: NDArray[np.uint8], seen: Sighting) -> None:
        self._search = search
        reach = _FACES * max(seen.width, seen.height)
        self._center = seen.x + seen.width / 2, seen.y + seen.height / 2
        # Wider than the patch, so that its corners are there at every angle, and shrunk once.
        half = round(reach * 0.71) + 1
        left, top = round(self._center[0]) - half, round(self._center[1]) - half
        wide = crop_face(image_rgb, (left, top, left + 2 * half, top + 2 * half))
        size = max(1, round(2 * half * _PATCH_PX / reach))
        small = cv2.resize(wide, (size, size), interpolation=cv2.INTER_AREA)
        self._wide = np.asarray(small, np.uint8)
        self._scale = 2 * half / size

    def look(self, angle_deg: float) -> Sighting | None:
        """The face in the patch that is turned upright by an angle, if it is seen there."""
        middle = (len(self._wide) - 1) / 2
        patch = cut_tilted(self._wide, (middle, middle), _PATCH_PX, angle_deg)
        return _nearest(self._search(patch))

    def straighten(self, straight: Placed, angle_deg: float) -> Placed:
        """Turns until the face is upright.

        Args:
            straight: The answer where that does not succeed, or where the tilt is small.
            angle_deg: To begin with.
        """
        placed = straight
        for _ in range(_ROUNDS):
            angle_deg = (angle_deg + 180) % 360 - 180
            again = self.look(angle_deg)
            if again is None or again.landmarks is None:
                break
            framed = _frame(again, self._search.framing)
            offset = np.array([framed.x, framed.y]) - _PATCH_PX / 2
            x, y = self._center + tilt_matrix(angle_deg) @ offset * self._scale
            placed = Placed(x, y, framed.side * self._scale, angle_deg, straight.score)
            rest = tilt_of(again.landmarks)
            if abs(rest) < _UPRIGHT_DEG:
                break
            angle_deg += rest
        return placed if abs(placed.angle_deg) >= MIN_TILT_DEG else straight


def _frame(seen: Sighting, framing: Framing) -> Placed:
    x, y = seen.x + seen.width / 2, seen.y + seen.height / 2
    return Placed(x, y - framing.up * seen.height, framing.side * seen.height, 0.0, seen.score)


def _nearest(sightings: list[Sighting]) -> Sighting | None:
    """The face in the middle of the patch, if one is there."""

    def apart(seen: Sighting) -> float:
        x, y = seen.x + seen.width / 2, seen.y + seen.height / 2
        return float(np.hypot(x - _PATCH_PX / 2, y - _PATCH_PX / 2))

    near = [seen for seen in sightings if apart(seen) < _PATCH_PX / (2 * _FACES)]
    return min(near, key=apart, default=None)
