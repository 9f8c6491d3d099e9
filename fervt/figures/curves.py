"""Probability curves: hiding and revealing cells, and changing the face bit by bit."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fervt.figures.grid import RIGHT_PX, Values

# Okabe and Ito's palette and different dashes: distinguishable without color, too.
_STYLES = (
    ("#0072B2", "solid"),
    ("#E69F00", "dash"),
    ("#009E73", "dot"),
    ("#D55E00", "dashdot"),
    ("#CC79A7", "longdash"),
)
_RANDOM = "#8A8A99"


def faithfulness_figure(
    shares: Values,
    deletion: dict[str, Values],
    insertion: dict[str, Values],
    random_deletion: Values,
    random_insertion: Values,
    unit: str,
    height_px: int = 380,
) -> go.Figure:
    """Draws deletion and insertion curves side by side over the band of random orders.

    Args:
        shares: (P,), 0..1, share of cells hidden or shown.
        deletion: (P,) scores by name of the source.
        insertion: Likewise.
        random_deletion: (R, P) of R random orders.
        random_insertion: Likewise.
        unit: Of the scores.
        height_px: Height of the figure.
    """
    figure = make_subplots(
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.1,
        # In two lines, which fit beside each other on a phone.
        subplot_titles=("Deletion:<br>lower is better", "Insertion:<br>higher is better"),
    )
    sides = ((deletion, random_deletion, "hidden"), (insertion, random_insertion, "shown"))
    for column, (curves, chance, word) in enumerate(sides, start=1):
        _add_band(figure, shares, chance, column)
        for (name, values), (color, dash) in zip(curves.items(), _STYLES, strict=False):
            figure.add_scatter(
                x=shares,
                y=values,
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                mode="lines",
                line={"color": color, "dash": dash, "width": 2.5},
                row=1,
                col=column,
            )
        figure.update_xaxes(title=f"cells {word}", tickformat=".0%", row=1, col=column)
    figure.update_xaxes(fixedrange=True, range=[0, 1])
    figure.update_yaxes(fixedrange=True)
    figure.update_yaxes(title=unit, col=1)
    figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": RIGHT_PX, "t": 48, "b": 6},
        legend={"orientation": "h", "y": -0.28},
        hovermode="x unified",
    )
    return figure


def _add_band(figure: go.Figure, shares: Values, chance: Values, column: int) -> None:
    middle = chance.mean(axis=0)
    low, high = np.quantile(chance, (0.05, 0.95), axis=0)
    figure.add_scatter(
        x=np.r_[shares, shares[::-1]],
        y=np.r_[high, low[::-1]],
        mode="lines",
        fill="toself",
        fillcolor="rgba(138,138,153,0.25)",
        line={"width": 0},
        hoverinfo="skip",
        name="random orders (5 to 95%)",
        legendgroup="random",
        showlegend=column == 1,
        row=1,
        col=column,
    )
    figure.add_scatter(
        x=shares,
        y=middle,
        mode="lines",
        line={"color": _RANDOM, "width": 1.5},
        name="random mean",
        legendgroup="random",
        showlegend=False,
        row=1,
        col=column,
    )


def what_if_figure(
    values: Values,
    probabilities: Values,
    names: Sequence[str],
    colors: Sequence[str],
    axis: str,
    chosen: float | None = None,
    height_px: int = 340,
) -> go.Figure:
    """Draws every class's probability over one change.

    Args:
        values: (P,), what was tried.
        probabilities: (P, C).
        names: C names.
        colors: C colors.
        axis: What the values are.
        chosen: Where to draw a line; None for nowhere.
        height_px: Height of the figure.
    """
    figure = go.Figure()
    for name, color, curve in zip(names, colors, probabilities.T, strict=True):
        figure.add_scatter(
            x=values,
            y=curve,
            name=name,
            mode="lines+markers",
            line={"color": color, "width": 2.5},
            hovertemplate="%{y:.1%}",
        )
    if chosen is not None:
        figure.add_vline(x=chosen, line={"color": _RANDOM, "dash": "dash"})
    figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": RIGHT_PX, "t": 10, "b": 6},
        xaxis={"title": axis, "fixedrange": True, "tickvals": values},
        yaxis={"tickformat": ".0%", "range": [0, 1], "fixedrange": True, "title": "probability"},
        legend={"orientation": "h", "y": -0.3},
        hovermode="x unified",
    )
    return figure
