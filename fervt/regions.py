"""The 7x7 grid's cells as regions of the face, so that figures can say "mouth", not "row 5".

A face crop has a fixed geometry: the detector places the square on the face, and FER2013's faces
were cut the same way, so a cell shows the same part of the face on nearly everybody. The regions
were read from the grid drawn over the mean of 3,000 faces of FER2013's Training split. They hold
for upright, frontal crops, give or take a cell: an open mouth reaches into the chin.
"""

import numpy as np
from numpy.typing import ArrayLike

from fervt.grid import GRID

Cells = tuple[tuple[int, int], ...]

# One letter per cell, as the grid is on the face; the person's right side is on the left.
_FACE = """
    s f f f f f s
    s b b b b b s
    s e e n e e s
    s c c n c c s
    s c c n c c s
    s c m m m c s
    s s h h h s s
"""
_NAMES = {
    "f": "forehead",
    "b": "brows",
    "e": "eyes",
    "n": "nose",
    "c": "cheeks",
    "m": "mouth",
    "h": "chin",
    "s": "surroundings",
}
_ROWS = tuple(tuple(_NAMES[letter] for letter in row.split()) for row in _FACE.strip().splitlines())

REGIONS: dict[str, Cells] = {
    name: tuple(
        (row, column) for row in range(GRID) for column in range(GRID) if _ROWS[row][column] == name
    )
    for name in _NAMES.values()
}
"""The cells (row, column) of each region, from the top of the face down; every cell once."""


def region_of(row: int, column: int) -> str:
    """The region that a cell belongs to.

    Args:
        row: 0..6 from the top.
        column: 0..6 from the left.

    Raises:
        ValueError: There is no such cell.
    """
    if not (0 <= row < GRID and 0 <= column < GRID):
        raise ValueError(f"Cell ({row}, {column}) is not on the {GRID}x{GRID} grid.")
    return _ROWS[row][column]


def region_sums(map49: ArrayLike) -> dict[str, float]:
    """Adds up a map's cells by region.

    Regions differ in size: divide by `len(REGIONS[name])` for the mean of a region's cells.

    Args:
        map49: (7, 7) or (49,), row by row.

    Returns:
        The sum of each region, in the order of `REGIONS`; together they are the map's sum.

    Raises:
        ValueError: It doesn't have 49 cells.
    """
    cells = np.asarray(map49, dtype=np.float64)
    if cells.shape not in {(GRID, GRID), (GRID * GRID,)}:
        raise ValueError(f"A map has {GRID * GRID} cells, not the shape {cells.shape}.")
    grid = cells.reshape(GRID, GRID)
    return {name: float(sum(grid[cell] for cell in where)) for name, where in REGIONS.items()}
