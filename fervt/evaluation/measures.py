"""Measures of a face's picture itself: the axes along which an evaluation is sliced."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.data.prepared import PreparedData
from fervt.faces.tilt import tilt_of


@dataclass(frozen=True)
class Measure:
    """One measure of a face.

    Attributes:
        title: Its display name.
        low: What a face with a small value is called.
        high: What one with a large value is called.
        unit: Of the values.
        digits: Decimals worth showing.
    """

    title: str
    low: str
    high: str
    unit: str
    digits: int = 0


MEASURES: dict[str, Measure] = {
    "brightness": Measure("Brightness", "dark", "bright", "gray levels"),
    "contrast": Measure("Contrast", "flat", "high contrast", "gray levels"),
    "sharpness": Measure("Sharpness", "blurred", "sharp", "gray levels"),
    "tilt": Measure("Tilt of the head", "upright", "tilted", "degrees"),
    "agreement": Measure(
        "Agreement of the annotators", "disputed", "undisputed", "of their votes", 2
    ),
    "confidence": Measure("Confidence", "unsure", "sure", "probability", 2),
}


def measure_faces(data: PreparedData) -> dict[str, NDArray[np.float32]]:
    """Measures N faces.

    Returns:
        By key of `MEASURES`, all but the confidence, (N,): brightness, the mean gray, 0..255;
        contrast, its standard deviation; sharpness, the standard deviation of the Laplacian (Pech
        Pacheco et al., 2000, call its square the variance of the Laplacian); tilt, the head's
        angle, 0..180 degrees to either side; agreement, the largest share of one answer among
        FER+'s votes, NaN where nobody voted.
    """
    images = data.images
    votes = data.votes.astype(np.float64)
    total = votes.sum(axis=1)
    with np.errstate(invalid="ignore"):
        agreement = votes.max(axis=1) / np.where(total > 0, total, np.nan)
    sharpness = [float(cv2.Laplacian(image, cv2.CV_64F).std()) for image in images]
    tilt = [abs(tilt_of(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB))) for image in images]
    found = {
        "brightness": images.mean(axis=(1, 2)),
        "contrast": images.std(axis=(1, 2)),
        "sharpness": sharpness,
        "tilt": tilt,
        "agreement": agreement,
    }
    return {name: np.asarray(values, np.float32) for name, values in found.items()}
