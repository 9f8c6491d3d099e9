"""Ten ways to corrupt the picture of a face, at five strengths each.

They act on the 48x48 gray face, before the checkpoint's preprocessing. Their randomness
is seeded by the face's own hash, so the same face is always corrupted in the same way,
whichever sample it is in. The kinds are after Hendrycks and Dietterich, 2019 (ImageNet-C), with
strengths chosen for faces of 48 pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

STRENGTHS = 5

Face = NDArray[np.uint8]
_GRAY = 127


@dataclass(frozen=True)
class Corruption:
    """One kind.

    Attributes:
        title: Its display name.
        values: Five strengths, the weakest first.
        says: A strength in words, to be filled in.
        apply: Corrupts a face (48, 48); gets a strength and a random generator.
    """

    title: str
    values: tuple[float, ...]
    says: str
    apply: Callable[[Face, float, np.random.Generator], NDArray[np.floating] | Face]

    def describe(self, level: int) -> str:
        """The strength of a level 1..5 in words."""
        return self.says.format(self.values[level - 1])

    def tick(self, level: int) -> str:
        """The same, short enough for an axis; level 0 is the uncorrupted face."""
        if not level:
            return "none"
        value = self.values[level - 1]
        return f"{value:.0%}" if "%" in self.says else f"{value:g}"


def _dim(face: Face, share: float, _: np.random.Generator) -> NDArray[np.floating]:
    return face * share


def _flatten(face: Face, share: float, _: np.random.Generator) -> NDArray[np.floating]:
    return face.mean() + share * (face - face.mean())


def _blur(face: Face, sigma: float, _: np.random.Generator) -> Face:
    return np.asarray(
        cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8
    )


def _add_noise(face: Face, sigma: float, random: np.random.Generator) -> NDArray[np.floating]:
    return face + random.normal(0, sigma, face.shape)


def _compress(face: Face, quality: float, _: np.random.Generator) -> Face:
    content = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def _shrink(face: Face, side: float, _: np.random.Generator) -> Face:
    small = cv2.resize(face, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, face.shape, interpolation=cv2.INTER_LINEAR), np.uint8)


def _rotate(face: Face, degrees: float, random: np.random.Generator) -> Face:
    return _warp(face, random.choice([-1, 1]) * degrees, 1.0, (0.0, 0.0))


def _shift(face: Face, pixels: float, random: np.random.Generator) -> Face:
    angle = random.uniform(0, 2 * np.pi)
    return _warp(face, 0.0, 1.0, (pixels * np.cos(angle), pixels * np.sin(angle)))


def _zoom(face: Face, factor: float, _: np.random.Generator) -> Face:
    return _warp(face, 0.0, factor, (0.0, 0.0))


def _hide(face: Face, share: float, random: np.random.Generator) -> Face:
    side = round(len(face) * share**0.5)
    top, left = random.integers(0, len(face) - side + 1, 2)
    changed = face.copy()
    changed[top : top + side, left : left + side] = _GRAY
    return changed


def _warp(face: Face, degrees: float, factor: float, move: tuple[float, float]) -> Face:
    middle = (len(face) - 1) / 2
    placed = cv2.getRotationMatrix2D((middle, middle), degrees, factor)
    placed[:, 2] += np.array(move)
    return np.asarray(
        cv2.warpAffine(face, placed, face.shape, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


CORRUPTIONS: dict[str, Corruption] = {
    "brightness": Corruption(
        "Less light", (0.7, 0.5, 0.3, 0.15, 0.07), "{:.0%} of the light", _dim
    ),
    "contrast": Corruption(
        "Less contrast", (0.7, 0.5, 0.3, 0.15, 0.07), "{:.0%} of the contrast", _flatten
    ),
    "blur": Corruption("Blur", (0.6, 1.0, 1.5, 2.2, 3.0), "a blur of {:g} px", _blur),
    "noise": Corruption("Noise", (5, 10, 20, 35, 55), "noise of {:g} gray levels", _add_noise),
    "jpeg": Corruption("JPEG", (50, 30, 18, 10, 5), "JPEG quality {:g}", _compress),
    "downscaling": Corruption("Small faces", (32, 24, 18, 14, 10), "faces of {:g} px", _shrink),
    "rotation": Corruption("Rotation", (8, 16, 25, 40, 60), "a turn of {:g}°", _rotate),
    "shift": Corruption("Shift", (2, 4, 6, 9, 13), "a shift of {:g} px", _shift),
    "zoom": Corruption("Zoom", (1.1, 1.2, 1.35, 1.55, 1.8), "a zoom of {:g}×", _zoom),
    "occlusion": Corruption(
        "Hidden part", (0.05, 0.1, 0.15, 0.2, 0.25), "{:.0%} of the face hidden", _hide
    ),
}
"""By key, in the order in which they are measured."""

CONDITIONS: tuple[tuple[str, int], ...] = tuple(
    (kind, level) for kind in CORRUPTIONS for level in range(1, STRENGTHS + 1)
)
"""Kind and level of each of the fifty conditions."""


def corrupt(faces: Face, image_sha256: Sequence[str], kind: str, level: int) -> Face:
    """Corrupts faces.

    Args:
        faces: (N, 48, 48) uint8.
        image_sha256: Their N hashes.
        kind: Key of `CORRUPTIONS`.
        level: 1..5.

    Returns:
        (N, 48, 48) uint8, new.
    """
    how = CORRUPTIONS[kind]
    strength = how.values[level - 1]
    corrupted = np.empty_like(faces)
    for i, (face, digest) in enumerate(zip(faces, image_sha256, strict=True)):
        random = np.random.default_rng(int(digest[:16], 16))
        changed = how.apply(face, strength, random)
        corrupted[i] = np.clip(np.rint(changed), 0, 255)
    return corrupted
