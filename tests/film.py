"""Small films of an astronaut who moves, for the webcam and for video files."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from fervt.examples import load_example


def astronaut_frames(
    width: int, height: int, count: int, period: int = 80, swing: int = 90
) -> Iterator[np.ndarray]:
    """Frames (height, width, 3) uint8 RGB in which the head goes to the right and back."""
    scene = np.ascontiguousarray(load_example("astronaut")[:384])
    scene = cv2.copyMakeBorder(scene, 0, 0, 120, 120, cv2.BORDER_REPLICATE)
    for index in range(count):
        shift = swing * np.sin(2 * np.pi * index / period)
        left = round(120 + shift)
        view = np.ascontiguousarray(scene[:, left : left + 512])
        yield cv2.resize(view, (width, height), interpolation=cv2.INTER_AREA)


def write_film(
    path: Path, frames: Iterator[np.ndarray], codec: str, pixels: str, fps: int = 20
) -> Path:
    with av.open(str(path), "w") as film:
        stream = None
        for index, frame in enumerate(frames):
            if stream is None:
                stream = film.add_stream(codec, rate=fps)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = pixels
                if codec == "mjpeg":
                    stream.codec_context.color_range = 2  # JPEG's
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, fps)
            film.mux(stream.encode(picture))
        film.mux(stream.encode(None))
    return path
