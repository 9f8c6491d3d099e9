"""Finding the faces of an image, with any detector.

By default libfacedetection if its wheel is installed, otherwise the Haar cascade. If `FERVT_YUNET`
names a YuNet file, YuNet is used instead.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from math import sqrt
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.faces.crop import tilt_matrix
from fervt.faces.found import Box, FoundFace, Search, Sighting
from fervt.faces.haar import HaarSearch
from fervt.faces.libfacedetection import LibfacedetectionSearch
from fervt.faces.tilt import Placed, place
from fervt.faces.yunet import YUNET_VARIABLE, YuNetSearch

SEARCH_SIDE_PX = 1024
_LONGEST = 4  # times that side: panoramas of up to 21:1 are not shrunk further
_SECOND_SIDE_PX = 640  # there are many second tries, and faces that need them are rarely small


class FaceDetector:
    """Finds faces. Keeps state: one detector per thread (see `thread_detector`).

    Args:
        side_px: For the search, images are scaled down to the pixel count of a 4:3 image whose
            longer side is this; smaller is faster but misses smaller faces.
        persistent: Whether to try again if nothing is found: with the image rotated and, with the
            cascade, with equalized lighting. Costs up to eight more searches, which are all run.
        search: The detector; by default the best one installed.

    Attributes:
        name: The detector's display name.

    Raises:
        ConfigError: `FERVT_YUNET` names a file that is missing or not a YuNet model.
    """

    def __init__(
        self, side_px: int = SEARCH_SIDE_PX, persistent: bool = True, search: Search | None = None
    ) -> None:
        self.side_px = side_px
        self._persistent = persistent
        self._search = choose_search() if search is None else search
        self.name = self._search.name

    def detect(self, image_rgb: NDArray[np.uint8]) -> list[FoundFace]:
        """Finds the faces of one image.

        Args:
            image_rgb: (height, width, 3) uint8.

        Returns:
            Faces, the largest first, in pixels of the image as given; each one's center is inside
            it.
        """
        small, scale = _shrink(image_rgb, self.side_px)
        placed = [place(self._search, small, seen) for seen in self._search(small)]
        if not placed and self._persistent:
            small, scale = _shrink(image_rgb, min(self.side_px, _SECOND_SIDE_PX))
            placed = max(self._try_again(small), key=_best_score, default=[])
        height, width = image_rgb.shape[:2]
        faces = []
        for face in placed:
            box = _to_box(face, scale)
            center = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            if box[0] < box[2] and 0 <= center[0] <= width and 0 <= center[1] <= height:
                faces.append(FoundFace(box, float(face.score), round(face.angle_deg, 1)))
        return sorted(faces, key=_side_px, reverse=True)

    def _try_again(self, image_rgb: NDArray[np.uint8]) -> Iterator[list[Placed]]:
        for change in self._search.second_tries:
            if isinstance(change, str):
                even = _equalize(image_rgb)
                yield [place(self._search, even, seen) for seen in self._look_hard(even)]
            else:
                yield self._search_turned(image_rgb, change)

    def _look_hard(self, image_rgb: NDArray[np.uint8]) -> list[Sighting]:
        least = self._search.second_min_score
        return [seen for seen in self._search(image_rgb) if seen.score >= least]

    def _search_turned(self, image_rgb: NDArray[np.uint8], angle_deg: float) -> list[Placed]:
        """Faces tilted clockwise by about an angle, and so upright in the rotated image."""
        turned, turn, origin = _turn_upright(image_rgb, angle_deg)
        found = []
        for seen in self._look_hard(turned):
            face = place(self._search, turned, seen)
            x, y = turn @ (face.x, face.y) + origin
            found.append(replace(face, x=x, y=y).turned(angle_deg))
        return found


def choose_search() -> Search:
    """The best detector that is installed.

    Raises:
        ConfigError: As `YuNetSearch`.
    """
    model_file = os.environ.get(YUNET_VARIABLE, "")
    if model_file:
        return YuNetSearch(Path(model_file))
    if LibfacedetectionSearch.is_available():
        return LibfacedetectionSearch()
    return HaarSearch()


class _Detectors(threading.local):
    def __init__(self) -> None:  # runs once per thread
        self.by_settings: dict[tuple[int, bool], FaceDetector] = {}


_detectors = _Detectors()


def thread_detector(side_px: int = SEARCH_SIDE_PX, persistent: bool = True) -> FaceDetector:
    """The calling thread's own detector, created on its first call; see `FaceDetector`.

    Raises:
        ConfigError: As `FaceDetector`.
    """
    found, settings = _detectors.by_settings, (side_px, persistent)
    if settings not in found:
        found[settings] = FaceDetector(*settings)
    return found[settings]


def _shrink(image_rgb: NDArray[np.uint8], side_px: int) -> tuple[NDArray[np.uint8], float]:
    """The image scaled down to a number of pixels, and the scale.

    By area, not by the longer side: faces in a panorama are as large as in any photo. Only very
    long images are also limited in length.
    """
    height, width = image_rgb.shape[:2]
    longest = _LONGEST * side_px / max(width, height)
    scale = min(1.0, side_px * sqrt(0.75 / (width * height)), longest)
    if scale == 1:
        return image_rgb, 1.0
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _equalize(image_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    gray = cv2.equalizeHist(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY))
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8)


def _turn_upright(
    image_rgb: NDArray[np.uint8], angle_deg: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """The whole image rotated counterclockwise by an angle.

    Returns:
        The rotated image, and the map of its points to the original's: (2, 2) and (2,).
    """
    height, width = image_rgb.shape[:2]
    turn = tilt_matrix(angle_deg)
    size = np.ceil(np.abs(turn.T) @ (width, height) - 1e-6)
    origin = np.array([width, height]) / 2 - turn @ size / 2
    half = np.full(2, 0.5)  # warpAffine's origin is the center of the first pixel
    turned = cv2.warpAffine(
        image_rgb,
        np.column_stack([turn, origin + turn @ half - half]),
        (int(size[0]), int(size[1])),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    return np.asarray(turned, np.uint8), turn, origin


def _to_box(face: Placed, scale: float) -> Box:
    side = round(face.side / scale)
    left, top = round(face.x / scale - side / 2), round(face.y / scale - side / 2)
    return left, top, left + side, top + side


def _best_score(faces: list[Placed]) -> float:
    return max((face.score for face in faces), default=-np.inf)


def _side_px(face: FoundFace) -> int:
    return face.box_xyxy_px[2] - face.box_xyxy_px[0]
