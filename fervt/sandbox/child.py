"""The process that decodes: pictures in, pixels out, one after another.

Started as `python -m fervt.sandbox.child`, and ends when its stdin does. It first says `READY`. A
request is a line of JSON and a picture's bytes; an answer a line of JSON and, where it could be
read, its pixels.
Nothing is pickled: an attacker in this process must not reach its parent.
"""

import json
import os
import signal
import sys
from typing import Any

import cv2
import pillow_heif
from PIL import AvifImagePlugin, Image

from fervt.errors import ImageError
from fervt.images import read_photo
from fervt.sandbox.limits import READY, forbid_files, go_first, limit_cpu, limit_memory

MEMORY_BYTES = 1_200_000_000
"""What a 25-megapixel picture may need in the worst case: a TIFF with 32 bits per channel."""

CPU_S = 8


def main() -> None:
    """Decodes until there are no more requests."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    stdin, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    cv2.setNumThreads(1)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pillow_heif.options.DECODE_THREADS = 1
    Image.init()  # Pillow would open its other modules later, when no file can be opened
    go_first()
    limit_memory(MEMORY_BYTES)
    forbid_files()
    answers.write(READY)
    answers.flush()
    while line := stdin.readline():
        asked = json.loads(line)
        limit_cpu(CPU_S)
        data = stdin.read(asked["bytes"])
        pixels: Any = b""
        try:
            photo = read_photo(data, asked["name"], asked["max_pixels"])
        except ImageError as error:
            answer: dict[str, Any] = {"error": str(error)}
        else:
            height, width = photo.rgb.shape[:2]
            answer = {"height": height, "width": width, "note": photo.note}
            pixels = photo.rgb.data.cast("B")
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.write(pixels)
        answers.flush()
        data = pixels = photo = None  # type: ignore[assignment]  # not until the next one comes


if __name__ == "__main__":
    main()
