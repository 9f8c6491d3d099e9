"""The one 7x7 grid: which pixels a cell covers, how to hide it, how to bring a map onto it."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.grid import GRID
from fervt.model.gwa import spread_over_pixels

CELLS = GRID * GRID


def hide_cells(image: Tensor, hidden: Tensor) -> Tensor:
    """Hides cells of images by fading their pixels to the data set's mean gray.

    Args:
        image: (1, 3, S, S) or (K, 3, S, S), normalized, so that the mean is 0.
        hidden: (K, 7, 7), 0..1 (or bool); how much of each cell is hidden, 1 entirely.

    Returns:
        (K, 3, S, S), one changed image per mask.
    """
    kept = 1 - spread_over_pixels(hidden.to(image), image.shape[-1])
    return (image * kept).contiguous(memory_format=torch.channels_last)


def resample_by_area(values: NDArray[np.floating], side: int = GRID) -> NDArray[np.float32]:
    """Resamples maps (..., h, w) to (..., side, side) by the area that cells share.

    Each new cell is the mean of what it covers, so the mean over the whole map is kept.
    """
    rows = _shared_share(values.shape[-2], side)
    columns = _shared_share(values.shape[-1], side)
    return (rows @ values @ columns.T).astype(np.float32)


def _shared_share(old: int, new: int) -> NDArray[np.float64]:
    """Shares (new, old) of each new interval that lie in each old one; rows sum to 1."""
    new_edge, old_edge = np.linspace(0, 1, new + 1), np.linspace(0, 1, old + 1)
    left = np.maximum(new_edge[:-1, None], old_edge[None, :-1])
    right = np.minimum(new_edge[1:, None], old_edge[None, 1:])
    return np.clip(right - left, 0, None) * new


def seen_part(
    crop_rgb: NDArray[np.uint8], share: float, side_px: int = GRID * 64
) -> NDArray[np.uint8]:
    """The part of a face's crop that the model sees, in color and large enough to look at.

    Args:
        crop_rgb: (h, h, 3) uint8, the square crop around the face.
        share: Share of its side that `Preprocess` keeps about the center.
        side_px: Side of the result; a multiple of 7 puts the cells on whole pixels.

    Returns:
        (side_px, side_px, 3) uint8. Its 7x7 cells are those of the model's input.
    """
    side = crop_rgb.shape[0]
    scale = side_px / (side * share)
    # Pixel centers are at +0.5: the crop's center must fall on the result's.
    shift = side_px / 2 - scale * side / 2 + (scale - 1) / 2
    placed = np.array([[scale, 0, shift], [0, scale, shift]])
    return cv2.warpAffine(  # type: ignore[return-value]
        crop_rgb,
        placed,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
