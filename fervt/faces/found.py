"""What every face detector shares: the types of its answers and the protocol it follows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the image; right and bottom lie outside."""


@dataclass(frozen=True)
class FoundFace:
    """One found face.

    Attributes:
        box_xyxy_px: Left, top, right, bottom in pixels of the image; right and bottom lie outside.
        score: The detector's own confidence, higher is surer. YuNet's is within 0..1, the
            cascade's is its last stage's sum: comparable within one detector only.
    """

    box_xyxy_px: Box
    score: float


class Search(Protocol):
    """A way to search an image for faces; may keep state, so each thread needs its own."""

    def __call__(self, image_rgb: NDArray[np.uint8], /) -> Iterable[Sequence[float]]:
        """Finds (x, y, width, height, score) of each face in an image (h, w, 3) uint8 RGB."""
        ...
