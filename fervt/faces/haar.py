"""OpenCV's Haar cascade: the kind of detector that FER2013 itself was cropped with.

Its boxes frame a face as the training images do, and it runs everywhere, but it misses heads that
are tilted by 20 degrees or more and faces in the dark, so it needs second tries.
"""

from collections.abc import Sequence

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from fervt.faces.found import Framing, Sighting

# Of OpenCV's frontal cascades, alt2 mistook the fewest coins, stones and machines in scikit-image's
# pictures for faces, and was the fastest. The minimum score loses 2% of the faces that it finds in
# FER2013 and two thirds of the false ones (3 are left in 224 pictures without a face).
_CASCADE = "haarcascade_frontalface_alt2.xml"
_MIN_NEIGHBORS = 5
_MIN_SCORE = 55.0
_MIN_FACE = 0.04  # of the image's shorter side
_MIN_FACE_PX = 24


class HaarSearch:
    """Searches for frontal faces; see `found.Search`."""

    name = "Haar cascade"
    framing = Framing()
    second_tries: Sequence[float | str] = ("equalize", 25.0, -25.0, 50.0, -50.0, 90.0, -90.0, 180.0)
    second_min_score = _MIN_SCORE

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(cv2.data.haarcascades + _CASCADE)

    def __call__(self, image_rgb: NDArray[np.uint8], /) -> list[Sighting]:
        """Finds the faces of an image (h, w, 3) uint8 RGB."""
        gray = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
        side = max(_MIN_FACE_PX, round(_MIN_FACE * min(gray.shape)))
        boxes, _, scores = self._cascade.detectMultiScale3(
            gray, 1.1, _MIN_NEIGHBORS, minSize=(side, side), outputRejectLevels=True
        )
        found = zip(np.reshape(boxes, (-1, 4)).tolist(), np.ravel(scores).tolist(), strict=True)
        return [
            Sighting(x, y, width, height, score)
            for (x, y, width, height), score in found
            if score >= _MIN_SCORE
        ]
