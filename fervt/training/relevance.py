"""What a teacher's answer rests on: it is asked again with cells of each face hidden."""

import torch
from torch import Tensor

from fervt.explain.grid import hide_cells
from fervt.grid import GRID
from fervt.training.teachers import SameViewTeacher

_FEWEST, _MOST = 5, 35  # of the 49 cells


def draw_cells(faces: int, device: torch.device) -> Tensor:
    """Random sets of cells to hide, equally many for each face of a batch: (B, 7, 7) bool."""
    count = int(torch.randint(_FEWEST, _MOST + 1, (1,)))
    order = torch.rand(faces, GRID * GRID, device=device).argsort(dim=1)
    return (order < count).unflatten(1, (GRID, GRID))


def cost_of_hiding(
    teacher: SameViewTeacher, images: Tensor, hidden: Tensor, told: Tensor
) -> Tensor:
    """How much less likely the teacher's answers become without these cells: (B,) in -1..1.

    Args:
        teacher: The checkpoint that is asked.
        images: (B, 3, S, S), normalized, so that hidden cells of 0 are mean gray.
        hidden: (B, 7, 7) bool.
        told: (B, C), the teacher's probabilities for the whole images.
    """
    without = teacher.answer(hide_cells(images, hidden))
    answer = told.argmax(dim=1, keepdim=True)
    return (told - without).gather(1, answer)[:, 0]


def with_mirrored(images: Tensor) -> Tensor:
    """Images (B, 3, S, S) and their mirror images: (2B, 3, S, S)."""
    both = torch.cat([images, images.flip(3)])
    return both.contiguous(memory_format=torch.channels_last)


def mean_of_both(scores: Tensor) -> Tensor:
    """The mean score (B, 7, 7) of each cell from those of `with_mirrored` (2B, 7, 7)."""
    plain, mirrored = scores.chunk(2)
    return (plain + mirrored.flip(2)) / 2
