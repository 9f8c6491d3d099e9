"""Finding the faces of an image, whichever detector searches.

The Haar cascade by default. Where the user names a YuNet file in `FERVT_YUNET`, that better
detector is taken instead.
"""

import os
import threading
from pathlib import Path

import cv2
import numpy as np

from fervt.faces.found import FoundFace, Search
from fervt.faces.haar import HaarSearch
from fervt.faces.yunet import YUNET_VARIABLE, YuNetSearch

MAX_SIDE_PX = 1024  # larger images are scaled down to this for the search alone


class FaceDetector:
    """Finds frontal faces. Keeps state: one detector a thread (see `thread_detector`).

    Args:
        max_side_px: Images with a longer side are scaled down to it for the search; smaller is
            faster and misses smaller faces.

    Raises:
        ConfigError: `FERVT_YUNET` names a file that is missing or no YuNet model.
    """

    def __init__(self, max_side_px: int = MAX_SIDE_PX) -> None:
        self.max_side_px = max_side_px
        model_file = os.environ.get(YUNET_VARIABLE, "")
        self._search: Search = YuNetSearch(Path(model_file)) if model_file else HaarSearch()

    def detect(self, image_rgb: np.ndarray) -> list[FoundFace]:
        """Finds the faces of one image.

        Args:
            image_rgb: (height, width, 3) uint8.

        Returns:
            Faces, the largest first; boxes in pixels of the image as given and inside it.
        """
        height, width = image_rgb.shape[:2]
        scale = min(1.0, self.max_side_px / max(height, width))
        small = image_rgb
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            small = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)
        faces = []
        for x, y, w, h, score in self._search(small):
            left, right = np.clip(np.rint([x / scale, (x + w) / scale]), 0, width)
            top, bottom = np.clip(np.rint([y / scale, (y + h) / scale]), 0, height)
            if left < right and top < bottom:
                box = int(left), int(top), int(right), int(bottom)
                faces.append(FoundFace(box, float(score)))
        return sorted(faces, key=_area_px, reverse=True)


class _Detectors(threading.local):
    def __init__(self) -> None:  # runs once in every thread
        self.by_max_side: dict[int, FaceDetector] = {}


_detectors = _Detectors()


def thread_detector(max_side_px: int = MAX_SIDE_PX) -> FaceDetector:
    """The calling thread's own detector, made on its first call.

    Raises:
        ConfigError: As `FaceDetector`.
    """
    found = _detectors.by_max_side
    if max_side_px not in found:
        found[max_side_px] = FaceDetector(max_side_px)
    return found[max_side_px]


def _area_px(face: FoundFace) -> int:
    left, top, right, bottom = face.box_xyxy_px
    return (right - left) * (bottom - top)
