"""What if the face were a little different? Probabilities over the range of one change."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fervt.data.transforms import FACE_SIZE
from fervt.explain.grid import hide_cells
from fervt.explain.trace import Array
from fervt.grid import GRID
from fervt.predict import Predictor

GrayFace = NDArray[np.uint8]
POINTS = 9


def _blur(face: GrayFace, sigma_px: float) -> GrayFace:
    return cv2.GaussianBlur(face, (0, 0), sigma_px) if sigma_px else face  # type: ignore[return-value]


def _brighten(face: GrayFace, percent: float) -> GrayFace:
    return np.clip(face + 2.55 * percent, 0, 255).round().astype(np.uint8)


def _rotate(face: GrayFace, degrees: float) -> GrayFace:
    center = ((FACE_SIZE - 1) / 2,) * 2
    turn = cv2.getRotationMatrix2D(center, degrees, 1)
    return cv2.warpAffine(face, turn, face.shape[::-1], borderMode=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def _mirror(face: GrayFace, mirrored: float) -> GrayFace:
    return face[:, ::-1] if mirrored else face


@dataclass(frozen=True)
class Change:
    """One thing to change about a face.

    Attributes:
        title: Its display name.
        unit: Unit of the values.
        values: What is tried; one of them leaves the face as it is.
        neutral: That one.
        apply: Changes a face (48, 48) uint8; None where a cell of the input is hidden instead.
    """

    title: str
    unit: str
    values: tuple[float, ...]
    neutral: float
    apply: Callable[[GrayFace, float], GrayFace] | None


def _range(low: float, high: float) -> tuple[float, ...]:
    return tuple(float(v) for v in np.linspace(low, high, POINTS))


CHANGES: dict[str, Change] = {
    "blur": Change("Blur", "px of 48", _range(0, 4), 0.0, _blur),
    "brightness": Change("Brightness", "%", _range(-60, 60), 0.0, _brighten),
    "rotation": Change("Rotation", "°", _range(-40, 40), 0.0, _rotate),
    "hidden": Change("Hidden cell", "% hidden", _range(0, 100), 0.0, None),
    "mirrored": Change("Mirrored", "0 no, 1 yes", (0.0, 1.0), 0.0, _mirror),
}


@dataclass(frozen=True, eq=False)
class WhatIf:
    """What one change does.

    Attributes:
        change: Key of `CHANGES`.
        values: (P,) in the change's unit.
        probabilities: (P, C), calibrated, rows sum to 1.
        inputs: (P, S, S) uint8 gray, what the model saw.
    """

    change: str
    values: Array
    probabilities: Array
    inputs: NDArray[np.uint8]


def what_if(predictor: Predictor, face: GrayFace, change: str, cell: tuple[int, int]) -> WhatIf:
    """Tries all values of a change in one forward pass.

    Args:
        predictor: The model and its preprocessing.
        face: (48, 48) uint8 gray.
        change: Key of `CHANGES`.
        cell: Row and column that "hidden" hides; the others don't use it.
    """
    chosen = CHANGES[change]
    if chosen.apply is None:
        hidden = torch.zeros(len(chosen.values), GRID, GRID, device=predictor.device)
        hidden[:, cell[0], cell[1]] = torch.tensor(chosen.values, device=predictor.device) / 100
        images = hide_cells(predictor.prepare(face[None]), hidden)
    else:
        faces = np.stack([chosen.apply(face, value) for value in chosen.values])
        images = predictor.prepare(faces)
    inputs = predictor.info.preprocess.denormalize(images.cpu().numpy())[..., 0]
    return WhatIf(
        change,
        np.array(chosen.values, np.float32),
        predictor.classify_prepared(images),
        np.rint(255 * inputs).astype(np.uint8),
    )
