"""The square crop around a face, cut as FER2013's faces were."""

import numpy as np

from fervt.errors import ImageError
from fervt.faces.found import Box
from fervt.images import MAX_PIXELS


def crop_face(image_rgb: np.ndarray, box_xyxy_px: Box) -> np.ndarray:
    """Cuts the square around a box's center, as wide as the box's longer side.

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
