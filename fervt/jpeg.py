"""What a JPEG file says about itself before decoding, and how a truncated one is read."""

import re
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.random import default_rng  # now: later the decoding process can open no file
from numpy.typing import NDArray
from PIL import JpegImagePlugin

MAX_SCANS = 100
"""A progressive photo has about ten scans; each costs as much as a picture."""

END = b"\xff\xd9"
_MAX_SEGMENTS = 20_000
_PADDING = 16  # zeros at the end that no picture has
_DIFFERS = 0.3  # of a row: less is what remains of the last blocks
_RESTARTS = b"\xff\xdd\x00\x04"  # the segment that says how often restart markers come
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
        blurs: Whether the whole picture is there after the first scan, and what a file that breaks
            off later lacks is detail.
    """

    scans: int
    progressive: bool
    ends: bool
    blurs: bool = False


def is_jpeg(data: bytes) -> bool:
    """Whether a file begins as a JPEG does."""
    return data[:3] == b"\xff\xd8\xff"


def survey(data: bytes) -> Layout:
    """Walks through a file's segments as a decoder does, without decoding."""
    at, scans, progressive, in_passes, colors = 2, 0, False, False, 1
    for _ in range(_MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None:
            return Layout(scans, progressive, False, in_passes and scans > 1)
        code, at = found[1][0], found.end()
        if code == END[1]:
            return Layout(scans, progressive, True)
        if code in _ALONE:
            continue
        scans += code == 0xDA
        if code in _FRAMES:
            in_passes |= code in _PROGRESSIVE
            colors = max(colors, *data[at + 7 : at + 8], 1)
        progressive |= in_passes
        progressive |= code == 0xDA and any(n < colors for n in data[at + 2 : at + 3])
        at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return Layout(MAX_SCANS + 1, progressive, True)


def open_jpeg(data: bytes) -> JpegImagePlugin.JpegImageFile:
    """Opens a file of any size: `Image.open` counts pixels that are never decoded."""
    return JpegImagePlugin.JpegImageFile(BytesIO(data))


def cut_padding(data: bytes) -> bytes:
    """A truncated file without the zeros with which downloads reserve space."""
    if not data.endswith(bytes(_PADDING)):
        return data
    data = data.rstrip(b"\0")
    return data + b"\0" if data.endswith(b"\xff") else data  # a zero belongs to each 0xFF


def missing_share(data: bytes, rgb: NDArray[np.uint8], size: tuple[int, int]) -> float:
    """The share of a truncated picture that is missing at its bottom, 0..1.

    What the decoder makes up after the data's end looks like any even background. So the picture
    is decoded again with noise after the end: what differs then is missing.

    Args:
        data: The file without an end marker.
        rgb: (h, w, 3) uint8, what `data` and `END` give: not turned.
        size: What `draft` was asked for.
    """
    image = open_jpeg(data.removesuffix(b"\xff") + _noise(data, image_width=rgb.shape[1]) + END)
    image.draft("RGB", size)
    differs = (np.asarray(image.convert("RGB")) != rgb).any(axis=2).mean(axis=1) > _DIFFERS
    return 1 - int(differs.argmax()) / len(differs) if differs.any() else 0.0


def _noise(data: bytes, image_width: int) -> bytes:
    """Enough for some rows of blocks; with restart markers where the file has such."""
    part = default_rng(0).integers(0, 0xFF, 16 * image_width + 4096, np.uint8).tobytes()
    if _RESTARTS not in data:
        return 8 * part
    return b"".join(part + bytes((0xFF, 0xD0 + n % 8)) for n in range(16))
