"""YuNet: OpenCV's own network, for users who provide its weights file."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.errors import ConfigError
from fervt.faces.found import Framing, Sighting

YUNET_VARIABLE = "FERVT_YUNET"
_MIN_SCORE = 0.7


class YuNetSearch:
    """Searches with OpenCV's `FaceDetectorYN`; see `found.Search`.

    Raises:
        ConfigError: The file that `FERVT_YUNET` names is missing or not a YuNet model.
    """

    name = "YuNet"
    framing = Framing(up=0.013, side=0.95)
    second_tries: Sequence[float | str] = (40.0, -40.0, 90.0, -90.0, 180.0)
    second_min_score = 0.7

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ConfigError(f"{YUNET_VARIABLE} names '{path}', which is not a file.")
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (64, 64), _MIN_SCORE)
            self(np.zeros((64, 64, 3), np.uint8))  # other networks fail only here
        except cv2.error as error:
            raise ConfigError(
                f"{YUNET_VARIABLE} names '{path}', which is not a YuNet model."
            ) from error

    def __call__(self, image_rgb: NDArray[np.uint8], /) -> list[Sighting]:
        """Finds the faces of an image (h, w, 3) uint8 RGB."""
        self._network.setInputSize(image_rgb.shape[1::-1])
        _, rows = self._network.detect(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))
        return [
            Sighting(row[0], row[1], row[2], row[3], row[14])
            for row in ([] if rows is None else rows.astype(float))
        ]
