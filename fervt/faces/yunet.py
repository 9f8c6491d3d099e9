"""YuNet: a better detector, for users who name a file of its weights."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.errors import ConfigError

YUNET_VARIABLE = "FERVT_YUNET"
_MIN_SCORE = 0.7


class YuNetSearch:
    """Searches with OpenCV's `FaceDetectorYN`; see `found.Search`.

    Raises:
        ConfigError: The file that `FERVT_YUNET` names is missing or no YuNet model.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ConfigError(f"{YUNET_VARIABLE} names '{path}', which is not a file.")
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (64, 64), _MIN_SCORE)
            self(np.zeros((64, 64, 3), np.uint8))  # another kind of network fails only here
        except cv2.error as error:
            raise ConfigError(
                f"{YUNET_VARIABLE} names '{path}', which is no YuNet model."
            ) from error

    def __call__(self, image_rgb: NDArray[np.uint8], /) -> list[tuple[float, ...]]:
        """Finds (x, y, width, height, score) of each face."""
        self._network.setInputSize(image_rgb.shape[1::-1])
        _, rows = self._network.detect(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))
        return [] if rows is None else [(*row[:4], row[-1]) for row in rows]
