"""What all face detectors share: their result types and their protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the image; right and bottom are exclusive."""


@dataclass(frozen=True)
class FoundFace:
    """A face found in an image.

    Attributes:
        box_xyxy_px: The square that FER2013's crop would cover if the head were upright: left, top,
            right, bottom in pixels of the image, right and bottom outside. It may reach over the
            image's edges.
        score: The detector's own confidence, higher is surer; not comparable between detectors.
        angle_deg: How far the head is tilted clockwise in the image plane, -180..180; 0 if the tilt
            is too small to matter. `crop_face` rotates the square back by it about its center.
    """

    box_xyxy_px: Box
    score: float
    angle_deg: float = 0.0


@dataclass(frozen=True, eq=False)
class Sighting:
    """A detector's own report of a face.

    Attributes:
        x: Left edge in pixels.
        y: Top edge in pixels.
        width: In pixels.
        height: In pixels.
        score: The detector's own confidence.
    """

    x: float
    y: float
    width: float
    height: float
    score: float


@dataclass(frozen=True)
class Framing:
    """The transform from a detector's box to FER2013's crop, in multiples of the box's height.

    FER2013 was cut with a Haar cascade, whose boxes are its crops. Over 127 faces that both
    detectors found, the square below got the same label as Haar's crop in 96% (libfacedetection; a
    square as wide as the box's longer side: 93%).

    Attributes:
        up: How far the crop's center is above the box's.
        side: The crop's side.
    """

    up: float = 0.0
    side: float = 1.0


class Search(Protocol):
    """A way to search an image for faces; may keep state, so each thread needs its own.

    Attributes:
        name: The detector's display name.
        framing: Turns its boxes into crops.
        second_tries: What to try in turn on an image in which nothing was found: "equalize" its
            lighting, or look for heads tilted clockwise by that many degrees.
        second_min_score: The minimum score in these tries: each is another chance of a false face.
    """

    name: str
    framing: Framing
    second_tries: Sequence[float | str]
    second_min_score: float

    def __call__(self, image_rgb: NDArray[np.uint8], /) -> list[Sighting]:
        """Finds the faces of an image (h, w, 3) uint8 RGB."""
        ...
