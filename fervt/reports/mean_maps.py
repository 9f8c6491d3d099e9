"""How mean maps over mean faces are drawn, on pages, in reports and on slides alike."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.explain import seen_part
from fervt.explain.evidence import Source


def shared_range(maps: Sequence[NDArray[np.floating]], about: Source) -> tuple[float, float]:
    """One range of colors for several maps (7, 7) of a source; cells up to neutral stay clear."""
    furthest = np.abs(maps) if about.signed else np.asarray(maps) - about.neutral
    widest = max(1e-6, float(furthest.max()))
    return -widest if about.signed else about.neutral, about.neutral + widest


def as_seen(face: NDArray[np.uint8], crop: float, side_px: int) -> NDArray[np.uint8]:
    """A gray face (48, 48) as the model sees it, (side_px, side_px, 3) uint8 RGB.

    Args:
        face: The face.
        crop: Share of the face's side that the model sees.
        side_px: Of the answer.
    """
    return seen_part(cv2.cvtColor(face, cv2.COLOR_GRAY2RGB), crop, side_px)  # type: ignore[arg-type]
