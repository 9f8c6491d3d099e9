"""Zip files of drawn images, for tests of what people upload."""

import zipfile
from collections.abc import Mapping
from io import BytesIO

import cv2
import numpy as np
import tiny

from fervt.labels import FER2013


def zip_of(files: Mapping[str, bytes], **settings) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", **settings) as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return content.getvalue()


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def labeled_zip(count: int = 10, folder: str = "", seed: int = 3) -> bytes:
    """Drawn faces, the i-th labeled i modulo 7, in folders named as FER2013's classes."""
    labels = np.arange(count) % 7
    return zip_of(
        {
            f"{folder}{FER2013.classes[label]}/{i:03d}.png": png(face)
            for i, (label, face) in enumerate(
                zip(labels, tiny.draw_faces(labels, seed), strict=True)
            )
        }
    )
