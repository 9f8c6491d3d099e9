"""Turns 48x48 gray faces into model input and back.

`Preprocess` travels with every checkpoint, so training, evaluation and the pages prepare an image
in exactly the same way, and `denormalize` shows exactly what the model saw.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fervt.grid import GRID
from fervt.options import check_types, option

FACE_SIZE = 48


@dataclass(frozen=True)
class Preprocess:
    """The fixed preprocessing from a face to the model's input.

    Raises:
        ConfigError: A value is outside its range.

    Attributes:
        image_size: Side S of the model input in pixels.
        mean: Mean gray value of the training faces, 0..1.
        std: Their standard deviation, 0..1, above 0.
        crop: Share of the face's side that is kept, about its center.
    """

    image_size: int
    mean: float = option(least=0, most=1)
    std: float = option(above=0, most=1)
    crop: float = option(44 / 48, least=0.1, most=1)

    def __post_init__(self) -> None:
        check_types(self)

    def to_input(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turns faces (B, 48, 48) into normalized images (B, 3, S, S)."""
        return self._read_window(faces, 0, 0)

    def five_crops(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Cuts five windows of each face, none mirrored, like torchvision's `FiveCrop`.

        Args:
            faces: (B, 48, 48).

        Returns:
            (5, B, 3, S, S) normalized images: the center as in `to_input`, then the windows that
            touch the face's upper left, upper right, lower left and lower right corner.
        """
        places = ((0, 0), (-1, -1), (1, -1), (-1, 1), (1, 1))
        return np.stack([self._read_window(faces, *place) for place in places])

    def denormalize(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turns normalized images (B, 3, S, S) into viewable ones (B, S, S, 3), values 0..1."""
        seen = images * np.float32(self.std) + np.float32(self.mean)
        return np.moveaxis(seen.clip(0, 1), 1, 3)

    def sample(self, faces: Tensor, theta: Tensor) -> Tensor:
        """Samples windows of faces (B, 48, 48) uint8 as normalized images (B, 3, S, S).

        Args:
            faces: Gray faces.
            theta: (B, 2, 3), maps the window's coordinates, -1..1, to the face's, -1..1.
        """
        grid = functional.affine_grid(
            theta, [len(faces), 1, self.image_size, self.image_size], align_corners=False
        )
        gray = functional.grid_sample(
            faces.unsqueeze(1).float() / 255, grid, padding_mode="border", align_corners=False
        )
        return ((gray - self.mean) / self.std).expand(-1, 3, -1, -1)

    def _read_window(self, faces: NDArray[np.uint8], right: int, down: int) -> NDArray[np.float32]:
        """Does what `sample` does, for one upright window shared by all faces.

        In NumPy, because PyTorch's calls would take one face up to half a millisecond.

        Args:
            faces: (B, 48, 48).
            right: -1 for the window at the left edge, 0 for the middle, 1 for the right edge.
            down: The same from top to bottom.
        """
        rows, columns = (_resampling(self.image_size, self.crop, at) for at in (down, right))
        gray = rows @ faces.astype(np.float32) @ columns.T
        gray = (gray - np.float32(255 * self.mean)) / np.float32(255 * self.std)
        return np.repeat(gray[:, np.newaxis], 3, axis=1)


@lru_cache
def _resampling(size: int, crop: float, place: int) -> NDArray[np.float32]:
    """Bilinear weights (size, 48) of a face's pixels along one axis, as in `grid_sample`."""
    window = crop * (2 * np.arange(size) + 1 - size) / size  # -1..1
    last = FACE_SIZE - 1
    pixels = last / 2 + (window + place * (1 - crop)) * FACE_SIZE / 2
    distance = np.abs(pixels.clip(0, last)[:, np.newaxis] - np.arange(FACE_SIZE))
    return (1 - distance).clip(0).astype(np.float32)


@dataclass(frozen=True)
class Augment:
    """Random changes to a training batch, as tensor operations on the whole batch."""

    rotation_deg: float = option(12.0, "largest rotation in either direction", least=0, most=180)
    scale: float = option(0.12, "largest relative change in size, 0..1", least=0, most=0.9)
    shift: float = option(0.08, "largest shift, as a share of the side", least=0, most=1)
    shear: float = option(0.08, "largest horizontal shear", least=0, most=1)
    flip: bool = option(True, "mirror half of the faces")
    brightness: float = option(
        0.3, "largest change in brightness, in standard deviations", least=0, most=10
    )
    contrast: float = option(0.25, "largest relative change in contrast, 0..1", least=0, most=1)
    erase: float = option(0.3, "chance of one erased rectangle per face", least=0, most=1)

    def __post_init__(self) -> None:
        check_types(self)

    def __call__(self, faces: Tensor, preprocess: Preprocess) -> Tensor:
        """Turns faces (B, 48, 48) uint8 into changed, normalized images (B, 3, S, S).

        Draws from torch's global random state.
        """
        count, device = len(faces), faces.device
        theta = self._draw_windows(count, preprocess.crop, device)
        gray = preprocess.sample(faces, theta)[:, :1]
        gray = gray * (1 + _draw(count, self.contrast, device)).view(-1, 1, 1, 1)
        gray = gray + _draw(count, self.brightness, device).view(-1, 1, 1, 1)
        return self._erase(gray).expand(-1, 3, -1, -1)

    def moved_windows(
        self, faces: Tensor, preprocess: Preprocess
    ) -> tuple[Tensor, tuple[int, int]]:
        """Random windows of faces, and the same windows moved by whole cells of the 7x7 grid.

        All windows in a call move by the same amount, at most two cells.

        Returns:
            images (2B, 3, S, S), the windows followed by the moved ones, and how many cells they
            moved to the right and down.
        """
        move = (0, 0)
        while move == (0, 0):
            right, down = torch.randint(-2, 3, (2,)).tolist()
            move = (right, down)
        theta = self._draw_windows(len(faces), preprocess.crop, faces.device)
        step = torch.tensor(move, dtype=theta.dtype, device=theta.device) * (2 / GRID)
        moved = theta.clone()
        moved[:, :, 2] += theta[:, :, :2] @ step
        both = preprocess.sample(faces.repeat(2, 1, 1), torch.cat([theta, moved]))
        return both, move

    def _draw_windows(self, count: int, crop: float, device: torch.device) -> Tensor:
        """Random windows (count, 2, 3), see `Preprocess.sample`."""

        def draw(limit: float) -> Tensor:
            return _draw(count, limit, device)

        angle = draw(math.radians(self.rotation_deg))
        size = crop * (1 + draw(self.scale))
        stretch = 1 + draw(self.scale / 3)
        mirror = torch.ones(count, device=device)
        if self.flip:
            mirror = torch.where(torch.rand(count, device=device) < 0.5, -1.0, 1.0)
        shear = draw(self.shear)
        theta = torch.zeros(count, 2, 3, device=device)
        theta[:, 0, 0] = mirror * size * stretch * angle.cos()
        theta[:, 0, 1] = size * (shear - angle.sin())
        theta[:, 1, 0] = mirror * size * angle.sin()
        theta[:, 1, 1] = size / stretch * angle.cos()
        theta[:, 0, 2] = draw(2 * self.shift)
        theta[:, 1, 2] = draw(2 * self.shift)
        return theta

    def _erase(self, gray: Tensor) -> Tensor:
        """Fills one random rectangle with noise in a share of the images (Zhong et al., 2020)."""
        if self.erase <= 0:
            return gray
        count, _, side, _ = gray.shape
        device = gray.device
        area = torch.empty(count, device=device).uniform_(0.02, 0.2) * side * side
        ratio = torch.exp(torch.empty(count, device=device).uniform_(-1.0, 1.0))
        height, width = (area * ratio).sqrt(), (area / ratio).sqrt()
        top = torch.rand(count, device=device) * (side - height)
        left = torch.rand(count, device=device) * (side - width)
        pixel = torch.arange(side, device=device)
        rows = (pixel >= top[:, None]) & (pixel < (top + height)[:, None])
        columns = (pixel >= left[:, None]) & (pixel < (left + width)[:, None])
        chosen = torch.rand(count, device=device) < self.erase
        hole = (rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]).unsqueeze(1)
        return torch.where(hole, torch.randn_like(gray), gray)


def _draw(count: int, limit: float, device: torch.device) -> Tensor:
    return (torch.rand(count, device=device) * 2 - 1) * limit


NO_AUGMENT = Augment(0.0, 0.0, 0.0, 0.0, False, 0.0, 0.0, 0.0)
