"""Curves over the strength of a corruption, for one checkpoint or several."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from fervt.figures.evaluation_curves import STYLES
from fervt.figures.grid import PERCENT_TICKS, RIGHT_PX, Values

_HEIGHT_PX = 190


def strength_figure(
    ticks: Sequence[str],
    curves: Mapping[str, tuple[Values, Values | None, Values | None]],
    *,
    percent: bool = True,
    range_: tuple[float, float] | None = (0.0, 1.0),
    height_px: int = _HEIGHT_PX,
) -> go.Figure:
    """Draws one curve per checkpoint, with a band for its intervals.

    Args:
        ticks: The names of the strengths, the first one for uncorrupted faces.
        curves: Values, lower and upper ends by name; None for no intervals.
        percent: Whether the values are shares.
        range_: Of the values; None fits it to them.
        height_px: Height of the figure.
    """
    figure = go.Figure()
    x = np.arange(len(ticks))
    for (name, (value, low, high)), (color, dash) in zip(curves.items(), STYLES, strict=False):
        if low is not None and high is not None:
            figure.add_scatter(
                x=np.r_[x, x[::-1]],
                y=np.r_[high, low[::-1]],
                mode="lines",
                fill="toself",
                fillcolor=_clear(color),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        figure.add_scatter(
            x=x,
            y=value,
            name=name,
            mode="lines+markers",
            line={"color": color, "dash": dash, "width": 2},
            marker={"size": 7},
            hovertemplate=f"{name}: %{{y:{'.1%' if percent else '.2f'}}}<extra></extra>",
        )
    figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": RIGHT_PX, "t": 24 if len(curves) > 1 else 8, "b": 6},
        showlegend=len(curves) > 1,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        dragmode=False,
        hovermode="x unified",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(
        tickvals=x, ticktext=list(ticks), fixedrange=True, tickangle=0, showgrid=False
    )
    figure.update_yaxes(
        range=range_, fixedrange=True, nticks=5, **(PERCENT_TICKS if percent else {})
    )
    return figure


def _clear(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
