"""Faces in the model's own space, one point each."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.figures.grid import MARK

_SIZES = ((2_000, 7), (10_000, 5))
_SMALLEST = 3
_SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "star", "x", "pentagon")


def map_figure(
    positions: NDArray[np.floating],
    groups: NDArray[np.integer],
    names: Sequence[str],
    colors: Sequence[str],
    hover: Sequence[str],
    chosen: int | None = None,
    drag: str = "pan",
) -> go.Figure:
    """Draws points (N, 2), drawn by WebGL; a point's customdata is its position in the arrays.

    Args:
        positions: (N, 2).
        groups: (N,), index into names and colors.
        names: Of the groups, for the legend.
        colors: Of the groups.
        hover: N texts.
        chosen: The point to ring.
        drag: What dragging does: "pan", "lasso" or "select", a box.
    """
    size = next((px for most, px in _SIZES if len(positions) <= most), _SMALLEST)
    figure = go.Figure()
    for group, (name, color) in enumerate(zip(names, colors, strict=True)):
        members = np.flatnonzero(groups == group)
        if not len(members):
            continue
        figure.add_scattergl(
            x=positions[members, 0],
            y=positions[members, 1],
            mode="markers",
            name=name,
            marker={
                "color": color,
                "size": size,
                "opacity": 0.7,
                "symbol": _SYMBOLS[group % len(_SYMBOLS)],
            },
            unselected={"marker": {"opacity": 0.7 if drag == "pan" else 0.15}},
            customdata=members,
            text=[hover[i] for i in members.tolist()],
            hovertemplate="%{text}<extra></extra>",
        )
    if chosen is not None:
        for color, width in zip(MARK, (8, 4), strict=True):
            figure.add_scatter(
                x=[positions[chosen, 0]],
                y=[positions[chosen, 1]],
                mode="markers",
                marker={
                    "symbol": "circle-open",
                    "size": 22,
                    "color": color,
                    "line": {"width": width},
                },
                hoverinfo="skip",
                showlegend=False,
            )
    figure.update_layout(
        height=560,
        margin={"l": 0, "r": 0, "t": 6, "b": 0},
        legend={"orientation": "h", "y": -0.02, "itemsizing": "constant"},
        dragmode=drag,
        hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure
