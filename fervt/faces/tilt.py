"""How far a head is tilted in the image plane, and where its crop is.

Face detectors' landmarks can't tell: they were trained on upright heads and report 7 degrees for a
head tilted by 30. A small network trained only for this (`scripts/train_tilt.py`) looks at the disk
in the middle of a face, which differs between angles only by its rotation.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.faces.crop import crop_face, cut_tilted, tilt_matrix
from fervt.faces.found import Framing, Search, Sighting
from fervt.onnx_session import open_session
from fervt.resources import TILT_NETWORK

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

INPUT_PX = 32
# Smaller tilts are left alone, so the crop stays sharp: 10 degrees cost 0.7 points of accuracy
# on PublicTest (n = 1,200).
MIN_TILT_DEG = 12.0
_ROUNDS = 2
_PATCH_PX, _FACES = 160, 2.0  # the patch that is searched again: its side in pixels and in faces


def as_input(faces: NDArray[np.generic]) -> NDArray[np.float32]:
    """Gray squares (B, 32, 32), 0..255, as the network's input (B, 1, 32, 32).

    Only the disk is kept, with mean 0 and deviation 1, so that the corners have no influence.
    """
    disk, area = _disk()
    gray = faces.astype(np.float32)
    mean = (gray * disk).sum((1, 2), keepdims=True) / area
    centered = (gray - mean) * disk
    deviation = np.sqrt((centered * centered).sum((1, 2), keepdims=True) / area)
    return (centered / (deviation + 1))[:, np.newaxis]


def tilt_of(face_rgb: NDArray[np.uint8]) -> float:
    """How far the head in a square crop is tilted clockwise, in degrees, -180..180.

    Args:
        face_rgb: (h, h, 3) uint8, at least somewhat larger than the network's 32 pixels.
    """
    small = cv2.resize(face_rgb, (2 * INPUT_PX, 2 * INPUT_PX), interpolation=cv2.INTER_AREA)
    angle = 0.0
    for _ in range(_ROUNDS):  # nearly upright faces are estimated best
        middle = (len(small) - 1) / 2
        square = cut_tilted(np.asarray(small, np.uint8), (middle, middle), len(small), angle)
        gray = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)
        gray = cv2.resize(gray, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA)
        cosine, sine = _network().run(None, {"disks": as_input(gray[np.newaxis])})[0][0]
        angle = _wrap(angle + float(np.degrees(np.arctan2(sine, cosine))))
    return angle


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

    def turned(self, angle_deg: float) -> "Placed":
        """The same square, tilted further; a small tilt counts as none."""
        angle = _wrap(self.angle_deg + angle_deg)
        return replace(self, angle_deg=angle if abs(angle) >= MIN_TILT_DEG else 0.0)


def place(search: Search, image_rgb: NDArray[np.uint8], seen: Sighting) -> Placed:
    """Finds a face's crop and its tilt.

    A tilted face is rotated upright and searched again, so that the detector's box means the same
    as for other faces.

    Args:
        search: The detector that saw the face.
        image_rgb: (h, w, 3) uint8, the image in which it was seen.
        seen: The face.
    """
    placed = _frame(seen, search.framing)
    around = _cut_around(image_rgb, placed)
    middle = (_PATCH_PX - 1) / 2
    side = round(_PATCH_PX / _FACES)
    angle = tilt_of(cut_tilted(around, (middle, middle), side, 0.0))
    if abs(angle) < MIN_TILT_DEG:
        return placed
    patch = cut_tilted(around, (middle, middle), _PATCH_PX, angle)
    again = _nearest(search(patch))
    if again is not None:
        scale = _FACES * placed.side / _PATCH_PX
        framed = _frame(again, search.framing)
        offset = np.array([framed.x, framed.y]) - _PATCH_PX / 2
        x, y = (placed.x, placed.y) + tilt_matrix(angle) @ offset * scale
        placed = Placed(x, y, framed.side * scale, 0.0, placed.score)
    return placed.turned(angle)


def _cut_around(image_rgb: NDArray[np.uint8], face: Placed) -> NDArray[np.uint8]:
    """(160, 160, 3): a face and its surroundings."""
    half = max(1, round(_FACES * face.side / 2))
    left, top = round(face.x) - half, round(face.y) - half
    wide = crop_face(image_rgb, (left, top, left + 2 * half, top + 2 * half))
    shrinks = len(wide) > _PATCH_PX
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(wide, (_PATCH_PX, _PATCH_PX), interpolation=method), np.uint8)


def _frame(seen: Sighting, framing: Framing) -> Placed:
    x, y = seen.x + seen.width / 2, seen.y + seen.height / 2
    return Placed(x, y - framing.up * seen.height, framing.side * seen.height, 0.0, seen.score)


def _nearest(sightings: list[Sighting]) -> Sighting | None:
    """The face in the middle of the patch, if there is one."""

    def apart(seen: Sighting) -> float:
        x, y = seen.x + seen.width / 2, seen.y + seen.height / 2
        return float(np.hypot(x - _PATCH_PX / 2, y - _PATCH_PX / 2))

    near = [seen for seen in sightings if apart(seen) < _PATCH_PX / (2 * _FACES)]
    return min(near, key=apart, default=None)


def _wrap(angle_deg: float) -> float:
    return (angle_deg + 180) % 360 - 180


@cache
def _disk() -> tuple[NDArray[np.float32], np.float32]:
    """1 inside the disk in a square and 0 outside, and its area in pixels."""
    at = (np.arange(INPUT_PX) + 0.5) * (2 / INPUT_PX) - 1
    disk = (at[:, np.newaxis] ** 2 + at**2 <= 1).astype(np.float32)
    return disk, disk.sum()


@cache
def _network() -> "InferenceSession":
    """Turns disks (1, 1, 32, 32) from `as_input` into the tilt's cosine and sine (1, 2)."""
    return open_session(TILT_NETWORK, threads=1)
