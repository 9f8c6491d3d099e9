"""Figures of the atlas, of slices and of strengths draw what they are given."""

import numpy as np
import pytest
from drawn_evidence import EDGES

from fervt.figures.atlas import difference_figure, edge_difference_figure, region_figure
from fervt.figures.robustness import strength_figure
from fervt.figures.slices import slice_figure
from fervt.regions import REGIONS

FACE = np.full((70, 70, 3), 120, np.uint8)


def test_regions_are_drawn_with_their_intervals() -> None:
    value = np.arange(len(REGIONS), dtype=float)
    figure = region_figure(
        {"right": (value, value - 0.5, value + 1), "wrong": (value + 1, value, value + 2)}, "x", 1.0
    )
    right, wrong = figure.data
    assert list(right.x) == value.tolist() and list(wrong.x) == (value + 1).tolist()
    assert list(right.error_x.array) == [1.0] * len(value)
    assert list(right.error_x.arrayminus) == [0.5] * len(value)
    assert list(figure.layout.yaxis.ticktext) == [name.capitalize() for name in REGIONS]
    assert figure.layout.showlegend
    alone = region_figure({"right": (value, value, value)}, "x", 1.0)
    assert not alone.layout.showlegend


def test_only_clear_cells_are_outlined() -> None:
    value = np.zeros((7, 7))
    low, high = value - 1.0, value + 1.0
    value[5, 3], low[5, 3] = 2.0, 0.5
    value[2, 1], high[2, 1] = -2.0, -0.5
    figure = difference_figure(FACE, value, low, high, "x")
    places = {(shape.y0, shape.x0) for shape in figure.layout.shapes}
    assert places == {(5.05, 3.05), (2.05, 1.05)}
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (-2, 2) and heat.z[5][3] == 2
    texts = figure.data[1].text
    assert "not clear" not in texts[5 * 7 + 3] and texts[5 * 7 + 3].startswith("mouth, row 5")
    assert texts[0].endswith("not clear")


def test_only_clear_edges_are_drawn() -> None:
    value, clear = np.zeros(EDGES.shape[1]), np.zeros(EDGES.shape[1], bool)
    value[3], value[60], value[61] = 0.1, 0.2, -0.1
    clear[[3, 60, 61]] = True
    figure = edge_difference_figure(FACE, EDGES, value, clear)
    assert len(figure.layout.annotations) == 2 and len(figure.layout.shapes) == 1
    assert len({a.arrowcolor for a in figure.layout.annotations}) == 2
    widest = max(figure.layout.annotations, key=lambda a: a.arrowwidth)
    assert widest.arrowcolor != figure.layout.annotations[1].arrowcolor
    assert len(figure.data[0].text) == 3
    none = edge_difference_figure(FACE, EDGES, value, np.zeros_like(clear))
    assert not none.layout.annotations


def test_strengths_have_a_band_and_a_line_a_checkpoint() -> None:
    value = np.array([0.7, 0.6, 0.5])
    figure = strength_figure(
        ["none", "1", "2"], {"a": (value, value - 0.1, value + 0.1), "b": (value, None, None)}
    )
    assert len(figure.data) == 3
    band = figure.data[0]
    assert list(band.y) == pytest.approx([0.8, 0.7, 0.6, 0.4, 0.5, 0.6])
    assert list(figure.layout.xaxis.ticktext) == ["none", "1", "2"]


def test_slices_stand_in_their_order() -> None:
    figure = slice_figure(["dark", "bright"], [0.5, 0.8], [(0.4, 0.6), (0.7, 0.9)], [30, 40], 0.7)
    marks = figure.data[0]
    assert list(marks.x) == [0.5, 0.8] and list(marks.y) == [0, 1]
    assert [a.text for a in figure.layout.annotations] == ["dark, n = 30", "bright, n = 40"]
    top, bottom = figure.layout.yaxis.range[1], figure.layout.yaxis.range[0]
    assert top < 0 < 1 < bottom
