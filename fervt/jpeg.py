"""What a JPEG file says of itself before it is decoded, and how one that is cut short is read."""

import re
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import JpegImagePlugin

MAX_SCANS = 100
"""A progressive photo is drawn in about ten passes; each costs as much as a picture."""

END = b"\xff\xd9"
_MAX_SEGMENTS = 20_000
# 0xFF before anything but a stuffed zero or a restart marker, which are part of a scan.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_ALONE = {0x01, 0xD8}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}


@dataclass(frozen=True)
class Layout:
    """A file's structure.

    Attributes:
        scans: Passes in which the picture is drawn; `MAX_SCANS` + 1 where there are too many parts
            to be counted.
        progressive: Whether all its coefficients must be held until the last scan: in a progressive
            file, and where a scan draws some of the colors only.
        ends: Whether the end marker is there.
    """

    scans: int
    progressive: bool
    ends: bool


def is_jpeg(data: bytes) -> bool:
    """Whether a file begins as a JPEG does."""
    return data[:3] == b"\xff\xd8\xff"


def survey(data: bytes) -> Layout:
    """Walks through a file's segments as a decoder does, without decoding any."""
    at, scans, progressive, colors = 2, 0, False, 1
    for _ in range(_MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None:
            return Layout(scans, progressive, False)
        code, at = found[1][0], found.end()
        if code == END[1]:
            return Layout(scans, progressive, True)
        if code in _ALONE:
            continue
        scans += code == 0xDA
        if code in _FRAMES:
            progressive |= code in _PROGRESSIVE
            colors = max(colors, *data[at + 7 : at + 8], 1)
        progressive |= code == 0xDA and any(n < colors for n in data[at + 2 : at + 3])
        at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return Layout(MAX_SCANS + 1, progressive, True)


def open_jpeg(data: bytes) -> JpegImagePlugin.JpegImageFile:
    """Opens a file of any size: `Image.open` judges pixels that are never decoded."""
    return JpegImagePlugin.JpegImageFile(BytesIO(data))


def missing_share(rgb: NDArray[np.uint8]) -> float:
    """The share of a cut picture that is missing at its lower end, 0..1.

    Where the data ends the decoder repeats the last color to the end of the picture.

    Args:
        rgb: (h, w, 3) uint8, as it was stored: not turned.
    """
    empty = (rgb == rgb[-1, -1]).all(axis=(1, 2))
    rows = len(empty) if empty.all() else int(empty[::-1].argmin())
    return rows / len(empty)
