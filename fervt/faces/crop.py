"""The square crop around a face, cut as FER2013's faces were and rotated upright."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.errors import ImageError
from fervt.faces.found import Box
from fervt.images import MAX_PIXELS


def crop_face(
    image_rgb: NDArray[np.uint8], box_xyxy_px: Box, angle_deg: float = 0.0
) -> NDArray[np.uint8]:
    """Cuts the square around a box's center, as wide as the box's longer side.

    Without a margin, as FER2013's faces were cut. Where the square leaves the image, the image's
    edge pixels are repeated.

    Args:
        image_rgb: (height, width, 3) uint8.
        box_xyxy_px: Left, top, right, bottom.
        angle_deg: How far the head is tilted clockwise; the square is tilted with it, about its
            center, so that the face in the crop is upright.

    Returns:
        (side, side, 3) uint8, a copy.

    Raises:
        ImageError: As `check_box`.
    """
    check_box(box_xyxy_px)
    left, top, right, bottom = box_xyxy_px
    side = max(right - left, bottom - top)
    if angle_deg:
        center = (left + right - 1) / 2, (top + bottom - 1) / 2
        return cut_tilted(image_rgb, center, side, angle_deg)
    rows = (top + bottom - side) // 2 + np.arange(side)
    columns = (left + right - side) // 2 + np.arange(side)
    height, width = image_rgb.shape[:2]
    return image_rgb[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)]


def cut_tilted(
    image_rgb: NDArray[np.uint8],
    center_xy: tuple[float, float],
    side: int,
    angle_deg: float,
) -> NDArray[np.uint8]:
    """Cuts a square that is tilted clockwise by an angle, and rotates it upright.

    Args:
        image_rgb: (h, w, 3) uint8.
        center_xy: Of the square, in the image's pixels.
        side: Of the square, in pixels.
        angle_deg: How far it is tilted clockwise.

    Returns:
        (side, side, 3) uint8; outside the image its edge pixels are repeated.
    """
    turn = tilt_matrix(angle_deg)
    corner = np.array(center_xy) - turn @ np.full(2, (side - 1) / 2)
    # OpenCV cannot warp an image with a side of 32,767 pixels or more.
    reach = np.ceil(0.75 * side) + 2
    sizes = np.array(image_rgb.shape[1::-1])
    start = np.clip(np.floor(center_xy) - reach, 0, sizes - 1).astype(int)
    end = np.clip(np.ceil(center_xy) + reach, 1, sizes).astype(int)
    corner = corner - start
    cut = cv2.warpAffine(
        np.ascontiguousarray(image_rgb[start[1] : end[1], start[0] : end[0]]),
        np.column_stack([turn, corner]),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cut, np.uint8)


def tilt_matrix(angle_deg: float) -> NDArray[np.float64]:
    """(2, 2): rotates (x, y) clockwise by an angle, y pointing down."""
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[cosine, -sine], [sine, cosine]])


def check_box(box_xyxy_px: Box) -> None:
    """Checks that `crop_face` can cut this box.

    Raises:
        ImageError: The box is empty, or its square would be over four times the largest image.
    """
    left, top, right, bottom = box_xyxy_px
    if left >= right or top >= bottom:
        raise ImageError(f"The face box {tuple(box_xyxy_px)} is empty.")
    if max(right - left, bottom - top) ** 2 > 4 * MAX_PIXELS:
        size = f"{right - left} x {bottom - top}"
        raise ImageError(f"A box of {size} pixels is too large or too narrow for a face.")


def whole_image_box(image_rgb: NDArray[np.uint8]) -> Box:
    """The box of the whole image, for a picture that is a face or in which none was found."""
    height, width = image_rgb.shape[:2]
    return 0, 0, width, height
