"""Graph attention over the face's 7x7 grid: directed edges, self-loops as rings, nodes at cells."""

import networkx as nx
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from fervt.draw import EDGE_RGB
from fervt.figures.grid import (
    BAR_PX,
    FACE_PX,
    Cell,
    Values,
    color_bar_below,
    color_range,
    dim,
    grid_figure,
    mark_cell,
)
from fervt.grid import GRID

STRONGEST = 10  # edges that are drawn unless all are asked for
_BINS = 8  # lines of one color are one trace: 217 traces would take seconds to draw
_WIDTHS_PX = np.linspace(1.2, 6.0, _BINS)
_FADED = "rgba(190,190,200,0.35)"
_GAP = 0.2  # between a node's center and the ends of its edges, in cells
_LANE = 0.085  # how far an edge keeps to its right, so that both directions are seen
_EDGE_SCALE = [[at, "rgb({}, {}, {})".format(*rgb)] for at, rgb in enumerate(EDGE_RGB)]


def attention_graph(edge_index: NDArray[np.integer], attention: Values) -> nx.DiGraph:
    """The graph with what is drawn: nodes with `pos`, edges with `attention`.

    Args:
        edge_index: (2, E), rows source and target; node = 7 * row + column.
        attention: (E,).

    Returns:
        A graph of 49 nodes; `pos` is (x, y) in cells, y down.
    """
    graph = nx.DiGraph()
    for node in range(GRID * GRID):
        graph.add_node(node, pos=(node % GRID + 0.5, node // GRID + 0.5))
    for (source, target), value in zip(edge_index.T.tolist(), attention.tolist(), strict=True):
        graph.add_edge(source, target, attention=value)
    return graph


def lane(graph: nx.DiGraph, source: int, target: int) -> tuple[NDArray, NDArray]:
    """Start and end of an edge as drawn: from source to target, a little to its right."""
    start, end = (np.array(graph.nodes[node]["pos"]) for node in (source, target))
    along = (end - start) / np.linalg.norm(end - start)
    aside = _LANE * np.array([-along[1], along[0]])
    return start + _GAP * along + aside, end - _GAP * along + aside


def graph_figure(
    picture_rgb: NDArray[np.uint8],
    edge_index: NDArray[np.integer],
    attention: Values,
    *,
    nodes: Values | None = None,
    node_unit: str = "",
    direction: str = "all",
    dimming: float = 0.5,
    stretch: bool = False,
    cell: Cell | None = None,
    face_px: int = FACE_PX,
) -> go.Figure:
    """Draws every edge; width and color show its attention, the arrow points from source to target.

    Information flows along the arrow: the share of the target's message from the source.

    Args:
        picture_rgb: What the model sees of the face, (h, w, 3) uint8.
        edge_index: (2, E), rows source and target.
        attention: (E,), 0..1.
        nodes: (49,) or (7, 7) for the nodes' color, None for plain nodes.
        node_unit: Of these.
        direction: Which edges stand out: "all", or those "into", "out" of, or "both" ways at the
            marked cell; the others are faint. "strongest" draws the ten strongest edges and those
            at the marked cell, and nothing else.
        dimming: How dark the face is, 0..1.
        stretch: Fit the colors to the values.
        cell: The marked cell.
        face_px: Height of the face; the color bars are below it.
    """
    graph = attention_graph(edge_index, attention)
    below_px = BAR_PX if nodes is None else 3 * BAR_PX
    figure = grid_figure(dim(picture_rgb, dimming), face_px + below_px, below_px)
    low, high = color_range(attention, 0.0, 0.5, stretch)
    shown = _standing_out(graph, direction, cell)
    if direction == "strongest":
        _add_edges(figure, graph.edge_subgraph(shown), shown, (low, high))
    else:
        _add_edges(figure, graph, shown, (low, high))
        _add_rings(figure, graph, (low, high))
    _add_nodes(figure, graph, nodes, node_unit)
    mark_cell(figure, cell)
    return figure


def _standing_out(graph: nx.DiGraph, direction: str, cell: Cell | None) -> set[tuple[int, int]]:
    if direction == "strongest":
        between = [edge for edge in graph.edges if edge[0] != edge[1]]
        between.sort(key=lambda edge: -graph.edges[edge]["attention"])
        strongest = set(between[:STRONGEST])
        return strongest | (set() if cell is None else _standing_out(graph, "both", cell))
    if direction == "all" or cell is None:
        return set(graph.edges)
    node = GRID * cell[0] + cell[1]
    into = set(graph.in_edges(node)) if direction in ("into", "both") else set()
    return into | (set(graph.out_edges(node)) if direction in ("out", "both") else set())


def _add_edges(
    figure: go.Figure,
    graph: nx.DiGraph,
    chosen: set[tuple[int, int]],
    range_: tuple[float, float],
) -> None:
    low, high = range_
    lines: dict[int, list[tuple[int, int]]] = {}
    for source, target in graph.edges:
        if source == target:
            continue
        share = (graph.edges[source, target]["attention"] - low) / (high - low)
        index = int(np.clip(share * _BINS, 0, _BINS - 1)) if (source, target) in chosen else -1
        lines.setdefault(index, []).append((source, target))
    for index in sorted(lines):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for edge in lines[index]:
            start, end = lane(graph, *edge)
            xs += [start[0], end[0], None]
            ys += [start[1], end[1], None]
        color = sample_colorscale(_EDGE_SCALE, (index + 0.5) / _BINS)[0] if index >= 0 else _FADED
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": color, "width": _WIDTHS_PX[index] if index >= 0 else 1},
            hoverinfo="skip",
            name="edges",
        )
    _add_arrows(figure, graph, [e for e in graph.edges if e in chosen and e[0] != e[1]], range_)


def _add_arrows(
    figure: go.Figure,
    graph: nx.DiGraph,
    edges: list[tuple[int, int]],
    range_: tuple[float, float],
) -> None:
    low, high = range_
    ends = np.array([lane(graph, *edge) for edge in edges]).reshape(-1, 2, 2)
    along = ends[:, 1] - ends[:, 0]
    values = np.array([graph.edges[edge]["attention"] for edge in edges])
    figure.add_scatter(
        x=ends[:, 1, 0],
        y=ends[:, 1, 1],
        mode="markers",
        marker={
            "symbol": "triangle-up",
            "angle": np.degrees(np.arctan2(along[:, 0], -along[:, 1])),
            "size": 5 + 6 * np.clip((values - low) / (high - low), 0, 1),
            "color": values,
            "cmin": low,
            "cmax": high,
            "colorscale": _EDGE_SCALE,
            "colorbar": color_bar_below("attention (edges, rings)"),
        },
        text=[
            f"({s // GRID}, {s % GRID}) → ({t // GRID}, {t % GRID}): {value:.3f}"
            for (s, t), value in zip(edges, values, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        name="arrows",
    )


def _add_rings(figure: go.Figure, graph: nx.DiGraph, range_: tuple[float, float]) -> None:
    loops = [node for node in graph if graph.has_edge(node, node)]
    values = [graph.edges[node, node]["attention"] for node in loops]
    figure.add_scatter(
        x=[graph.nodes[node]["pos"][0] for node in loops],
        y=[graph.nodes[node]["pos"][1] for node in loops],
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": 15,
            "line": {"width": 3},
            "color": values,
            "cmin": range_[0],
            "cmax": range_[1],
            "colorscale": _EDGE_SCALE,
        },
        hoverinfo="skip",
        name="self-loops",
    )


def _add_nodes(figure: go.Figure, graph: nx.DiGraph, nodes: Values | None, node_unit: str) -> None:
    rows, columns = np.divmod(np.arange(GRID * GRID), GRID)
    marker: dict = {"symbol": "circle", "size": 10, "color": "#E8E8EE"}
    if nodes is not None:
        low, high = color_range(nodes, 0.0, float(np.max(nodes)) or 1.0)
        marker |= {"color": nodes.ravel(), "colorscale": "Cividis", "cmin": low, "cmax": high}
        marker["colorbar"] = color_bar_below(f"{node_unit} (nodes)", row=1)
    texts = []
    for node in graph:
        loop = graph.edges[node, node]["attention"] if graph.has_edge(node, node) else 0.0
        text = f"row {node // GRID}, column {node % GRID}<br>to itself: {loop:.3f}"
        if nodes is not None:
            text += f"<br>{node_unit}: {nodes.ravel()[node]:.3g}"
        texts.append(text)
    seen = {"marker": {"opacity": 1}}
    figure.add_scatter(
        x=columns + 0.5,
        y=rows + 0.5,
        mode="markers",
        marker=marker,
        selected=seen,
        unselected=seen,
        customdata=np.stack([rows, columns], axis=1),
        text=texts,
        hovertemplate="%{text}<extra></extra>",
        name="nodes",
    )
