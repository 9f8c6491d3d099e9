"""Where the faces are, and the square crops that a classifier sees.

FER2013 itself was cropped by OpenCV's Haar cascades, so the boxes of that family frame a face as
the training images do, and no model file is needed. Where the user names a YuNet file in
`FERVT_YUNET`, that better detector is taken instead.
"""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from fervt.errors import ConfigError, ImageError
from fervt.images import MAX_PIXELS

MAX_SIDE_PX = 1024  # larger images are scaled down to this for the search alone
YUNET_VARIABLE = "FERVT_YUNET"

# Of OpenCV's frontal cascades alt2 took the fewest coins, stones and machines in scikit-image's
# pictures for faces, and it was the fastest. The lowest score costs 2% of the faces that it finds
# in FER2013 and drops two thirds of those false ones (3 are left in 224 pictures without a face).
_CASCADE = "haarcascade_frontalface_alt2.xml"
_MIN_NEIGHBOURS = 5
_MIN_SCORE = 55.0
_MIN_FACE = 0.04  # of the image's shorter side
_MIN_FACE_PX = 24
_YUNET_MIN_SCORE = 0.7

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Face:
    """One found face.

    Attributes:
        box_xyxy_px: Left, top, right, bottom in pixels of the image; right and bottom lie outside.
        score: The detector's own confidence, higher is surer. YuNet's is within 0..1, the
            cascade's is its last stage's sum: comparable within one detector only.
    """

    box_xyxy_px: Box
    score: float


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
        self._search = _YuNet(Path(model_file)) if model_file else _Cascade()

    def detect(self, image_rgb: np.ndarray) -> list[Face]:
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
                faces.append(Face((int(left), int(top), int(right), int(bottom)), float(score)))
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


def crop_face(image_rgb: np.ndarray, box_xyxy_px: Box) -> np.ndarray:
    """Cuts the square around a box's centre, as wide as the box's longer side.

    Without a margin, as FER2013's faces were cut. Where the square leaves the image, the image's
    edge pixels are repeated.

    Args:
        image_rgb: (height, width, 3) uint8.
        box_xyxy_px: Left, top, right, bottom.

    Returns:
        (side, side, 3) uint8, a copy.

    Raises:
        ImageError: As `check_box`.
    """
    check_box(box_xyxy_px)
    left, top, right, bottom = box_xyxy_px
    side = max(right - left, bottom - top)
    rows = (top + bottom - side) // 2 + np.arange(side)
    columns = (left + right - side) // 2 + np.arange(side)
    height, width = image_rgb.shape[:2]
    return image_rgb[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)]


def check_box(box_xyxy_px: Box) -> None:
    """Whether `crop_face` can cut this box.

    Raises:
        ImageError: The box is empty, or its square would be over four times the largest image.
    """
    left, top, right, bottom = box_xyxy_px
    if left >= right or top >= bottom:
        raise ImageError(f"The face box {tuple(box_xyxy_px)} is empty.")
    if max(right - left, bottom - top) ** 2 > 4 * MAX_PIXELS:
        size = f"{right - left} x {bottom - top}"
        raise ImageError(f"A box of {size} pixels is too large or too narrow for a face.")


def whole_image_box(image_rgb: np.ndarray) -> Box:
    """The box of the image itself, for a picture that is one face or in which none was found."""
    height, width = image_rgb.shape[:2]
    return 0, 0, width, height


def _area_px(face: Face) -> int:
    left, top, right, bottom = face.box_xyxy_px
    return (right - left) * (bottom - top)


class _Cascade:
    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(cv2.data.haarcascades + _CASCADE)

    def __call__(self, image_rgb: np.ndarray) -> list[tuple[float, ...]]:
        """Finds (x, y, width, height, score) of each face."""
        gray = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
        side = max(_MIN_FACE_PX, round(_MIN_FACE * min(gray.shape)))
        boxes, _, scores = self._cascade.detectMultiScale3(
            gray, 1.1, _MIN_NEIGHBOURS, minSize=(side, side), outputRejectLevels=True
        )
        found = zip(boxes, scores, strict=True)
        return [(*box, score) for box, score in found if score >= _MIN_SCORE]


class _YuNet:
    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ConfigError(f"{YUNET_VARIABLE} names '{path}', which is not a file.")
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (64, 64), _YUNET_MIN_SCORE)
            self(np.zeros((64, 64, 3), np.uint8))  # another kind of network fails only here
        except cv2.error as error:
            raise ConfigError(
                f"{YUNET_VARIABLE} names '{path}', which is no YuNet model."
            ) from error

    def __call__(self, image_rgb: np.ndarray) -> list[tuple[float, ...]]:
        """Finds (x, y, width, height, score) of each face."""
        self._network.setInputSize(image_rgb.shape[1::-1])
        _, rows = self._network.detect(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))
        return [] if rows is None else [(*row[:4], row[-1]) for row in rows]
