"""Faces to try the program on without a photo of your own.

Both people are in the public domain: scikit-image's `astronaut()`, Eileen Collins, by NASA; and
Commodore Grace Hopper, by the U.S. Navy, which ships as a file. Nothing is downloaded. The first
three are for a first look; each of the others makes the astronaut's picture harder in one way.
"""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from skimage import data

from fervt.errors import ImageError
from fervt.images import read_image
from fervt.resources import EXAMPLES as FOLDER

_FACE_CENTRE_PX = (225, 115)  # x, y in the 512 x 512 picture
_COVER_RGB = (72, 58, 52)


def _mirror(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[:, ::-1])


def _darken(image: np.ndarray) -> np.ndarray:
    return np.rint(255 * 0.3 * (image / 255.0) ** 1.5).astype(np.uint8)


def _blur(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), 3.5)


def _rotate(image: np.ndarray) -> np.ndarray:
    turn = cv2.getRotationMatrix2D(_FACE_CENTRE_PX, 12, 1)
    return cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)


def _hide_mouth(image: np.ndarray) -> np.ndarray:
    return cv2.rectangle(image.copy(), (200, 138), (252, 172), _COVER_RGB, cv2.FILLED)


def _hide_eye(image: np.ndarray) -> np.ndarray:
    return cv2.rectangle(image.copy(), (184, 94), (222, 126), _COVER_RGB, cv2.FILLED)


def _hopper() -> np.ndarray:
    name = "grace_hopper.jpg"
    return read_image((FOLDER / name).read_bytes(), name)


def _group() -> np.ndarray:
    """Both, shoulder to shoulder, at the same height."""
    left, right = data.astronaut()[:, 20:440], _hopper()
    height = left.shape[0]
    width = round(right.shape[1] * height / right.shape[0])
    return np.concatenate(
        [left, cv2.resize(right, (width, height), interpolation=cv2.INTER_AREA)], axis=1
    )


_DRAW: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "astronaut": np.copy,
    "grace hopper": lambda _: _hopper(),
    "group": lambda _: _group(),
    "mirrored": _mirror,
    "dark": _darken,
    "blurred": _blur,
    "rotated": _rotate,
    "mouth hidden": _hide_mouth,
    "eye hidden": _hide_eye,
}

EXAMPLES: tuple[str, ...] = tuple(_DRAW)


@cache
def load_example(name: str) -> np.ndarray:
    """Draws one of `EXAMPLES`.

    Returns:
        (h, w, 3) uint8, RGB; read-only, since all callers share it.

    Raises:
        ImageError: There is no such example.
    """
    if name not in _DRAW:
        raise ImageError(f"'{name}' is not an example; known: {', '.join(EXAMPLES)}.")
    image = _DRAW[name](data.astronaut())
    image.setflags(write=False)
    return image
