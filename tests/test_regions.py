"""Regions of the face: each cell has one, and sums keep the map's total."""

import numpy as np
import pytest

from fervt.regions import REGIONS, region_of, region_sums

CELLS = [(row, column) for row in range(7) for column in range(7)]


def test_every_cell_belongs_to_exactly_one_region():
    assert sorted(cell for cells in REGIONS.values() for cell in cells) == CELLS
    for name, cells in REGIONS.items():
        assert {region_of(*cell) for cell in cells} == {name}


def test_regions_mirror():
    for row, column in CELLS:
        assert region_of(row, column) == region_of(row, 6 - column)


def test_sums_by_region_add_up_to_the_map():
    cells = np.random.default_rng(0).normal(size=(7, 7))
    sums = region_sums(cells)
    assert list(sums) == list(REGIONS)
    assert sum(sums.values()) == pytest.approx(cells.sum())
    assert region_sums(cells.ravel()) == sums
    planted = np.zeros((7, 7))
    planted[5, 3] = 2.0
    assert region_sums(planted)["mouth"] == 2.0


@pytest.mark.parametrize("cell", [(-1, 0), (7, 0), (0, 7), (3, -1)])
def test_cells_off_the_grid_are_refused(cell):
    with pytest.raises(ValueError, match="not on the 7x7 grid"):
        region_of(*cell)


@pytest.mark.parametrize("shape", [(7,), (7, 6), (48,), (1, 49), (1, 7, 7)])
def test_maps_of_another_size_are_refused(shape):
    with pytest.raises(ValueError, match="49 cells"):
        region_sums(np.zeros(shape))
