"""Small matrices with their values printed, and larger ones as pictures."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fervt.figures.grid import DIVERGING, SEQUENTIAL, Cell, Values, color_bar
from fervt.grid import GRID


def _matrix(
    values: Values,
    rows: Sequence[str],
    columns: Sequence[str],
    low: float,
    high: float,
    unit: str,
) -> go.Figure:
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=list(columns),
            y=list(rows),
            zmin=low,
            zmax=high,
            colorscale=SEQUENTIAL if low >= 0 else DIVERGING,
            colorbar=color_bar(unit),
            texttemplate="%{z:.2f}",
            hovertemplate="%{y}, %{x}: %{z:.3f}<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    axis = {"fixedrange": True, "showgrid": False, "automargin": True}
    figure.update_layout(
        height=80 + 46 * len(rows),
        margin={"l": 0, "r": 0, "t": 28, "b": 6},
        xaxis={**axis, "side": "top", "tickangle": 0},
        yaxis={**axis, "autorange": "reversed"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def token_attention_figure(attention: Values, names: Sequence[str]) -> go.Figure:
    """Attention (R, N) of the first R tokens: rows are queries, columns keys."""
    return _matrix(attention, names[: len(attention)], names, 0, 1, "attention")


def correlation_figure(correlations: Values, names: Sequence[str]) -> go.Figure:
    """Rank correlations (K, K), -1..1; a constant map has none and stays blank."""
    short = [name.replace(" ", "<br>") for name in names]
    return _matrix(correlations, short, short, -1, 1, "rank correlation")


def similarity_figure(similarity: Values, cell: Cell | None, height_px: int = 360) -> go.Figure:
    """Cosine similarity (49, 49) of the nodes, row by row; the marked cell's row is outlined."""
    names = [f"({node // GRID}, {node % GRID})" for node in range(GRID * GRID)]
    figure = go.Figure(
        go.Heatmap(
            z=similarity,
            zmin=-1,
            zmax=1,
            colorscale=DIVERGING,
            colorbar=color_bar("cosine"),
            customdata=np.array([[(a, b) for b in names] for a in names]),
            hovertemplate="%{customdata[0]} and %{customdata[1]}: %{z:.2f}<extra></extra>",
        )
    )
    ticks = {
        "tickvals": np.arange(0, GRID * GRID, GRID) + (GRID - 1) / 2,
        "ticktext": [f"row {row}" for row in range(GRID)],
        "fixedrange": True,
        "showgrid": False,
        "constrain": "domain",
    }
    figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": 0, "t": 6, "b": 6},
        xaxis={**ticks, "tickangle": 0, "ticktext": [str(row) for row in range(GRID)]},
        yaxis={**ticks, "autorange": "reversed", "scaleanchor": "x"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    if cell is not None:
        node = GRID * cell[0] + cell[1]
        figure.add_shape(
            type="rect",
            x0=-0.5,
            x1=GRID * GRID - 0.5,
            y0=node - 0.5,
            y1=node + 0.5,
            line={"color": "#000000", "width": 2},
        )
    return figure
