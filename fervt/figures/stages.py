"""The stages of the pipeline as small pictures, each with its true scale."""

from collections.abc import Sequence

import plotly.graph_objects as go

from fervt.amounts import signed
from fervt.figures.grid import (
    BAR_PX,
    DIVERGING,
    Values,
    color_bar_below,
    color_range,
    signed_range,
)

HEIGHT_PX = 210


def _small(figure: go.Figure, height_px: int, below_px: int = BAR_PX) -> go.Figure:
    figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": 0, "t": 4, "b": below_px},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode=False,
    )
    return figure


def raster_figure(
    values: Values,
    *,
    unit: str,
    range_: tuple[float, float],
    colors: str,
    stretch: bool = False,
    height_px: int = HEIGHT_PX,
) -> go.Figure:
    """Draws a map (h, w) pixel by pixel.

    Args:
        values: The map.
        unit: Of its values.
        range_: Of the color bar; kept if the values are inside, unless they are stretched to fill.
        colors: A plotly color scale; with the diverging one 0 is in the middle.
        stretch: Fit the colors to the values.
        height_px: Height of the figure.
    """
    if colors == DIVERGING:
        low, high = signed_range(values, 0.0 if stretch else range_[1])
    else:
        low, high = color_range(values, *range_, stretch)
    figure = go.Figure(
        go.Heatmap(
            z=values,
            zmin=low,
            zmax=high,
            colorscale=colors,
            colorbar=color_bar_below(unit),
            hovertemplate="row %{y}, column %{x}: %{z:.3g}<extra></extra>",
        )
    )
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    figure.update_layout(
        xaxis=hidden,
        yaxis={**hidden, "autorange": "reversed", "scaleanchor": "x", "constraintoward": "top"},
    )
    return _small(figure, height_px)


def token_figure(tokens: Values, names: Sequence[str], height_px: int = HEIGHT_PX) -> go.Figure:
    """Draws tokens (N, D), one row per token."""
    low, high = signed_range(tokens, 3.0)
    figure = go.Figure(
        go.Heatmap(
            z=tokens,
            y=list(names),
            zmin=low,
            zmax=high,
            colorscale=DIVERGING,
            colorbar=color_bar_below("value"),
            hovertemplate="%{y}, dimension %{x}: %{z:.3g}<extra></extra>",
            ygap=2,
        )
    )
    figure.update_layout(
        xaxis={"visible": False, "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "showgrid": False},
    )
    return _small(figure, height_px)


def effect_figure(names: Sequence[str], effects: Values, unit: str) -> go.Figure:
    """Draws signed effects (K,) as bars about 0, with their values."""
    widest = max(0.05, float(abs(effects).max())) * 1.35
    figure = go.Figure(
        go.Bar(
            x=effects,
            y=list(names),
            orientation="h",
            marker={"color": ["#B2182B" if value > 0 else "#2166AC" for value in effects]},
            text=[signed(value, ".3f") for value in effects],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"range": [-widest, widest], "title": unit, "fixedrange": True, "zeroline": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "automargin": True},
        bargap=0.35,
    )
    return _small(figure, 90 + 34 * len(names), 4)
