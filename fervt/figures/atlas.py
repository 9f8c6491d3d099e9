"""Evidence over many faces: regions with their intervals, and what differs between two groups."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.amounts import from_to, signed
from fervt.figures.evaluation_curves import STYLES
from fervt.figures.graph import attention_graph, lane
from fervt.figures.grid import (
    BAR_PX,
    DIVERGING,
    FACE_PX,
    MARK,
    RIGHT_PX,
    Values,
    add_cells,
    color_bar_below,
    dim,
    grid_figure,
    signed_range,
)
from fervt.grid import GRID
from fervt.regions import REGIONS, region_of

_ROW_PX = 40
_MORE, _LESS = "#D6604D", "#4393C3"  # as the scale of differences has them
_WIDEST_PX, _NARROWEST_PX = 6.0, 1.5


def region_figure(
    groups: Mapping[str, tuple[Values, Values, Values]], unit: str, neutral: float
) -> go.Figure:
    """Draws the mean of each region's cells as a mark with its interval, one per group.

    Args:
        groups: Value, low and high by name, each in the order of `REGIONS`.
        unit: Of the values.
        neutral: The value of an indifferent region, where a line is drawn.
    """
    names = [name.capitalize() for name in REGIONS]
    figure = go.Figure()
    height = np.arange(len(names), dtype=float)
    offsets = np.linspace(-0.16, 0.16, len(groups)) if len(groups) > 1 else [0.0]
    for (name, (value, low, high)), (color, _), offset, symbol in zip(
        groups.items(), STYLES, offsets, ("circle", "diamond", "square", "cross"), strict=False
    ):
        figure.add_scatter(
            x=value,
            y=height + offset,
            name=name,
            mode="markers",
            marker={"size": 11, "color": color, "symbol": symbol},
            error_x={
                "type": "data",
                "array": high - value,
                "arrayminus": value - low,
                "thickness": 2,
                "width": 4,
            },
            customdata=np.stack([names, np.char.mod("%.3g", low), np.char.mod("%.3g", high)], 1),
            hovertemplate=(
                f"%{{customdata[0]}}, {name}: %{{x:.3g}} "
                "(%{customdata[1]} to %{customdata[2]})<extra></extra>"
            ),
        )
    figure.add_vline(x=neutral, line={"color": "#8A8A99", "dash": "dot", "width": 1})
    figure.update_layout(
        height=_ROW_PX * len(names) + 90,
        margin={"l": 0, "r": RIGHT_PX, "t": 6, "b": 6},
        legend={"orientation": "h", "y": 1.1},
        showlegend=len(groups) > 1,
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(title=unit, fixedrange=True)
    figure.update_yaxes(
        autorange="reversed",
        automargin=True,
        fixedrange=True,
        tickvals=height,
        ticktext=names,
        zeroline=False,
    )
    return figure


def difference_figure(
    picture_rgb: NDArray[np.uint8] | None,
    value: Values,
    low: Values,
    high: Values,
    unit: str,
    height_px: int = FACE_PX + BAR_PX,
) -> go.Figure:
    """Draws differences over a face; cells whose interval excludes 0 are outlined.

    Args:
        picture_rgb: What the model sees of a face, (h, w, 3) uint8; None for no face.
        value: (7, 7), red above 0 and blue below.
        low: (7, 7), lower ends of the intervals.
        high: (7, 7), upper ends.
        unit: Of the values.
        height_px: Height of the figure.
    """
    figure = grid_figure(picture_rgb, height_px, BAR_PX)
    lowest, highest = signed_range(value, 1e-6)
    centers = np.arange(GRID) + 0.5
    figure.add_heatmap(
        z=value,
        x=centers,
        y=centers,
        zmin=lowest,
        zmax=highest,
        colorscale=DIVERGING,
        opacity=0.65,
        xgap=1,
        ygap=1,
        colorbar=color_bar_below(""),
        hoverinfo="skip",
    )
    clear = (low > 0) | (high < 0)
    outlines = [
        {
            "type": "rect",
            "x0": column + 0.05,
            "x1": column + 0.95,
            "y0": row + 0.05,
            "y1": row + 0.95,
            "line": {"color": MARK[0], "width": 2},
        }
        for row, column in np.argwhere(clear).tolist()
    ]
    figure.update_layout(shapes=[*figure.layout.shapes, *outlines])
    cells = [(row, column) for row in range(GRID) for column in range(GRID)]
    add_cells(
        figure,
        [
            f"{region_of(*at)}, row {at[0]}, column {at[1]}: {signed(value[at], '.3g')} "
            f"{unit} ({from_to(low[at], high[at], '.3g')})" + ("" if clear[at] else ", not clear")
            for at in cells
        ],
    )
    return figure


def edge_difference_figure(
    picture_rgb: NDArray[np.uint8],
    edge_index: NDArray[np.integer],
    value: Values,
    clear: NDArray[np.bool_],
    face_px: int = FACE_PX,
) -> go.Figure:
    """Draws the edges that differ clearly: red ones carry more attention, blue ones less.

    Args:
        picture_rgb: What the model sees of a face, (h, w, 3) uint8.
        edge_index: (2, E), rows source and target.
        value: (E,) differences of attention.
        clear: (E,) which of them are drawn.
        face_px: Height of the figure.
    """
    figure = grid_figure(dim(picture_rgb, 0.4), face_px)
    graph = attention_graph(edge_index, value)
    # Added all at once: Plotly rechecks all existing marks for each new one.
    rings, arrows = [], []
    widest = max(float(np.abs(value[clear]).max(initial=0)), 1e-9)
    for (source, target), amount in zip(
        edge_index.T[clear].tolist(), value[clear].tolist(), strict=True
    ):
        color = _MORE if amount > 0 else _LESS
        width = _NARROWEST_PX + (_WIDEST_PX - _NARROWEST_PX) * abs(amount) / widest
        if source == target:
            x, y = graph.nodes[source]["pos"]
            rings.append(
                {
                    "type": "circle",
                    "x0": x - 0.14,
                    "x1": x + 0.14,
                    "y0": y - 0.14,
                    "y1": y + 0.14,
                    "line": {"color": color, "width": width},
                }
            )
            continue
        start, end = lane(graph, source, target)
        arrows.append(
            {
                "x": end[0],
                "y": end[1],
                "ax": start[0],
                "ay": start[1],
                "xref": "x",
                "yref": "y",
                "axref": "x",
                "ayref": "y",
                "showarrow": True,
                "arrowhead": 2,
                "arrowsize": 0.8,
                "arrowwidth": width,
                "arrowcolor": color,
                "text": "",
            }
        )
    figure.update_layout(
        shapes=[*figure.layout.shapes, *rings],
        annotations=[*figure.layout.annotations, *arrows],
    )
    middles = np.array([graph.nodes[n]["pos"] for n in range(GRID * GRID)])
    at = (middles[edge_index[0]] + middles[edge_index[1]]) / 2
    figure.add_scatter(
        x=at[clear, 0],
        y=at[clear, 1],
        mode="markers",
        marker={"size": 14, "opacity": 0},
        text=[
            f"{divmod(s, GRID)} → {divmod(t, GRID)}: {signed(amount, '.3f')}"
            for (s, t), amount in zip(
                edge_index.T[clear].tolist(), value[clear].tolist(), strict=True
            )
        ],
        hovertemplate="%{text}<extra></extra>",
    )
    return figure
