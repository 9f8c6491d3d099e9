"""How mean maps over mean faces are drawn, on pages, in reports and on slides alike."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.explain import seen_part


def shared_range(maps: Sequence[NDArray[np.floating]], signed: bool) -> tuple[float, float]:
    """One range of colors for several maps.

    Args:
        maps: Each (7, 7).
        signed: Whether 0 is the middle of the colors.
    """
    if signed:
        widest = max(1e-6, *(float(np.abs(each).max()) for each in maps))
        return -widest, widest
    return min(float(each.min()) for each in maps), max(float(each.max()) for each in maps)


def as_seen(face: NDArray[np.uint8], crop: float, side_px: int) -> NDArray[np.uint8]:
    """A gray face (48, 48) as the model sees it, (side_px, side_px, 3) uint8 RGB.

    Args:
        face: The face.
        crop: Share of the face's side that the model sees.
        side_px: Of the answer.
    """
    return seen_part(cv2.cvtColor(face, cv2.COLOR_GRAY2RGB), crop, side_px)  # type: ignore[arg-type]
