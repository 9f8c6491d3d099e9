"""Figures of the evidence: directions, ranges and what can be clicked."""

import numpy as np
import plotly.graph_objects as go
import pytest

from fervt.draw import EDGE_RGB, LESS_RGB, MAP_OPACITY, MORE_RGB, draw_graph
from fervt.figures.curves import faithfulness_figure, what_if_figure
from fervt.figures.gains import gain_figure
from fervt.figures.graph import attention_graph, graph_figure, lane
from fervt.figures.grid import color_range, signed_range
from fervt.figures.maps import Map, plot_maps
from fervt.figures.matrix import correlation_figure, similarity_figure, token_attention_figure
from fervt.figures.overlay import overlay_figure
from fervt.figures.stages import effect_figure, raster_figure, token_figure
from fervt.figures.tint import tint_cells

FACE = np.full((70, 70, 3), 200, np.uint8)
# One edge to the right, one down, and a self-loop: no symmetry that could hide a swap.
EDGES = np.array([[8, 8, 30], [9, 15, 30]])
ATTENTION = np.array([0.9, 0.2, 0.5])


def grid_edges() -> tuple[np.ndarray, np.ndarray]:
    pairs = [(a, b) for a in range(49) for b in range(49)
             if a == b or abs(a // 7 - b // 7) + abs(a % 7 - b % 7) == 1]  # fmt: skip
    edge_index = np.array(pairs).T
    return edge_index, np.random.default_rng(0).random(edge_index.shape[1])


def trace(figure: go.Figure, name: str):
    (found,) = figure.select_traces({"name": name})
    return found


def test_an_edge_is_drawn_from_its_source_to_its_target():
    graph = attention_graph(EDGES, ATTENTION)
    assert graph.nodes[8]["pos"] == (1.5, 1.5) and graph.nodes[15]["pos"] == (1.5, 2.5)
    assert graph.edges[8, 9]["attention"] == 0.9 and not graph.has_edge(9, 8)
    start, end = lane(graph, 8, 9)
    assert start[0] < end[0] and abs(start[1] - end[1]) < 1e-9  # to the right
    arrows = trace(graph_figure(FACE, EDGES, ATTENTION), "arrows")
    np.testing.assert_allclose(arrows.x, [end[0], lane(graph, 8, 15)[1][0]])
    np.testing.assert_allclose(np.asarray(arrows.marker.angle) % 360, [90, 180])
    np.testing.assert_allclose(arrows.marker.color, [0.9, 0.2])
    assert arrows.text[0] == "(1, 1) → (1, 2): 0.900"


def test_both_directions_keep_apart():
    graph = attention_graph(np.array([[8, 9], [9, 8]]), np.array([0.1, 0.2]))
    there, back = lane(graph, 8, 9), lane(graph, 9, 8)
    assert there[0][1] > 1.55 and back[0][1] < 1.45  # each to its right, y down


def test_a_stronger_edge_is_wider_and_brighter():
    lines = list(graph_figure(FACE, EDGES, ATTENTION).select_traces({"name": "edges"}))
    weak, strong = sorted(lines, key=lambda line: line.line.width)
    assert weak.x[0] == pytest.approx(1.5 - 0.085) and strong.y[0] == pytest.approx(1.5 + 0.085)
    assert weak.line.color != strong.line.color


def test_all_edges_are_drawn_in_few_traces():
    edge_index, attention = grid_edges()
    figure = graph_figure(FACE, edge_index, attention, nodes=np.arange(49.0), node_unit="norm")
    lines = list(figure.select_traces({"name": "edges"}))
    assert sum(np.sum([x is None for x in line.x]) for line in lines) == 168
    assert len(figure.data) <= 12
    assert len(trace(figure, "self-loops").x) == 49
    nodes = trace(figure, "nodes")
    assert (nodes.x[0], nodes.y[0], nodes.y[48]) == (0.5, 0.5, 6.5)
    assert list(nodes.customdata[10]) == [1, 3]


@pytest.mark.parametrize(
    ("direction", "count"), [("into", 3), ("out", 3), ("both", 6), ("all", 168)]
)
def test_the_marked_cells_edges_stand_out_by_direction(direction, count):
    edge_index, attention = grid_edges()
    figure = graph_figure(FACE, edge_index, attention, direction=direction, cell=(0, 3))
    arrows = trace(figure, "arrows")
    assert len(arrows.x) == count
    for text in arrows.text if direction != "all" else ():
        source, target = text.split(":")[0].split(" → ")
        assert "(0, 3)" in {"into": [target], "out": [source]}.get(direction, [source, target])


@pytest.mark.parametrize(("cell", "least"), [(None, 10), ((0, 3), 12)])
def test_the_strongest_edges_and_the_marked_cells_are_drawn_alone(cell, least):
    edge_index, attention = grid_edges()
    figure = graph_figure(FACE, edge_index, attention, direction="strongest", cell=cell)
    lines = list(figure.select_traces({"name": "edges"}))
    count = sum(np.sum([x is None for x in line.x]) for line in lines)
    assert count == len(trace(figure, "arrows").x) and least <= count <= 16
    shown = {float(text.split(": ")[1]) for text in trace(figure, "arrows").text}
    between = attention[edge_index[0] != edge_index[1]]
    assert {round(float(v), 3) for v in np.sort(between)[-10:]} <= shown
    drawn = draw_graph(np.full((140, 140, 3), 80, np.uint8), edge_index, attention, strongest=10)
    every = draw_graph(np.full((140, 140, 3), 80, np.uint8), edge_index, attention)
    assert 0 < (drawn != 40).any(axis=2).sum() < (every != 40).any(axis=2).sum() / 3


def test_even_values_look_even_unless_stretched():
    even = np.ones((7, 7)) + 1e-6 * np.arange(49).reshape(7, 7)
    (heatmap,) = overlay_figure(FACE, even, unit="").select_traces({"type": "heatmap"})
    assert (heatmap.zmin, heatmap.zmax) == (1, 2)
    assert color_range(even, 0, 2, stretch=True) == (even.min(), even.max())
    assert color_range(np.ones((7, 7)), 0, 2, stretch=True) == (0, 2)
    assert color_range(3 * even, 0, 2)[1] == pytest.approx(3, abs=1e-3)
    assert color_range(np.full((2, 2), np.nan), 0, 2) == (0, 2)
    assert signed_range(np.array([-0.3, 0.1]), 0.05) == (-0.3, 0.3)


def test_all_cells_can_be_clicked_and_say_their_value():
    values = np.arange(49.0).reshape(7, 7)
    cells = trace(overlay_figure(FACE, values, unit="points"), "cells")
    assert [list(c) for c in cells.customdata[[0, 9]]] == [[0, 0], [1, 2]]
    assert (cells.x[9], cells.y[9]) == (2.5, 1.5)
    assert cells.text[9] == "row 1, column 2: 9 points"
    assert cells.marker.opacity == cells.unselected.marker.opacity == 0


def test_the_drawn_graph_shows_the_edge_on_the_right_side_of_the_line():
    face = np.zeros((700, 700, 3), np.uint8)
    drawn = draw_graph(face, np.array([[8], [9]]), np.array([0.5])).any(axis=2)
    rows, columns = np.nonzero(drawn)
    assert 150 < columns.min() < columns.max() < 250 and rows.mean() > 152
    head = drawn[:, 215:230].sum() > drawn[:, 172:187].sum()
    assert head, "the arrow points at the target"


def test_matrices_print_their_values():
    figure = token_attention_figure(np.eye(3)[:1], ["class", "L1", "L2"])
    assert list(figure.data[0].y) == ["class"] and figure.data[0].texttemplate
    assert figure.layout.yaxis.autorange == "reversed"
    correlations = correlation_figure(np.array([[1, np.nan], [np.nan, 1]]), ["a b", "c"])
    assert correlations.data[0].zmin == -1
    outlined = similarity_figure(np.eye(49), (1, 3)).layout.shapes[0]
    assert (outlined.y0, outlined.y1) == (9.5, 10.5)


def test_curves_carry_every_source_and_the_band():
    shares = np.linspace(0, 1, 4)
    curves = {"GWA": shares, "GAT": 1 - shares}
    chance = np.random.default_rng(0).random((5, 4))
    figure = faithfulness_figure(shares, curves, curves, chance, chance, "probability")
    names = {line.name for line in figure.data}
    assert {"GWA", "GAT", "random orders (5 to 95%)"} <= names
    band = next(line for line in figure.data if line.fill == "toself")
    assert 0 <= band.y.min() and band.y.max() <= 1
    moves = what_if_figure(shares, np.ones((4, 2)) / 2, ["a", "b"], ["#000000"] * 2, "x", 0.5)
    assert len(moves.data) == 2 and moves.layout.shapes[0].x0 == 0.5


@pytest.mark.parametrize(
    "figure",
    [
        raster_figure(np.zeros((4, 6)), unit="gray", range_=(0, 1), colors="Gray"),
        token_figure(np.zeros((5, 8)), ["class", "L1", "L2", "L3", "GNN"]),
        effect_figure(["a", "b"], np.array([0.1, -0.2]), "change"),
    ],
)
def test_small_figures_can_be_sent(figure):
    assert figure.to_json()
    if figure.data[0].type == "heatmap":
        assert figure.data[0].zmax > figure.data[0].zmin


@pytest.mark.parametrize("signed", [False, True])
def test_a_map_has_the_same_colors_wherever_it_is_drawn(signed):
    values = np.linspace(-1, 1, 49).reshape(7, 7)
    more, less = ("rgba({}, {}, {}, ".format(*rgb) for rgb in (MORE_RGB, LESS_RGB))
    cells = tint_cells(values, 0.0, 0.1, signed)
    assert cells[-1].startswith(more)
    assert cells[0] == f"{less}{MAP_OPACITY:.3f})" if signed else cells[0].endswith(", 0.000)")
    one, many = (
        overlay_figure(FACE, values, unit="", signed=signed),
        Map("", "", values, signed, 0.0),
    )
    for figure in (one, plot_maps(FACE, [many])):
        (heatmap,) = figure.select_traces({"type": "heatmap"})
        assert heatmap.colorscale[-1] == (1, f"{more}1.000)")
        assert heatmap.colorscale[0] == (0, f"{less}1.000)" if signed else f"{more}0.000)")


def test_edges_have_the_colors_of_the_board():
    (arrows,) = graph_figure(FACE, EDGES, ATTENTION).select_traces({"name": "arrows"})
    ends = ["rgb({}, {}, {})".format(*rgb) for rgb in EDGE_RGB]
    assert [color for _, color in arrows.marker.colorscale] == ends


def test_gains_are_points_on_their_intervals():
    gains = {
        "Deletion": {
            "over random": [(0.1, 0.05, 0.2), (0.3, 0.2, 0.35), (-0.1, -0.2, 0.1)],
            "over its mean": [(0.0, -0.1, 0.1)] * 3,
        },
        "Insertion": {"over random": [(0.7, 0.6, 0.8)] * 3, "over its mean": [(0.2, 0.1, 0.4)] * 3},
    }
    figure = gain_figure(("GWA", "Grad-CAM", "Occlusion"), gains)
    first, mean, _, last = figure.data
    assert first.y == ("GWA", "Grad-CAM", "Occlusion") and first.x == (0.1, 0.3, -0.1)
    assert first.error_x.array == pytest.approx((0.1, 0.05, 0.2))
    assert first.error_x.arrayminus == pytest.approx((0.05, 0.1, 0.1))
    assert first.marker.symbol != mean.marker.symbol  # distinguishable without color
    assert (first.xaxis, last.xaxis, last.name) == ("x", "x2", "over its mean")
    assert first.showlegend and not last.showlegend
