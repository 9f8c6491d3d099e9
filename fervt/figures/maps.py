"""Several 7x7 maps of one face, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from fervt.figures.grid import Values, encode_png, lay_picture, signed_range
from fervt.figures.tint import map_scale
from fervt.grid import GRID

_PANEL_PX = 270
_TOP_PX, _BELOW_PX = 36, 64
_GAP = 0.03  # between panels, as a share of the width


@dataclass(frozen=True, eq=False)
class Map:
    """One panel.

    Attributes:
        title: Above it.
        unit: Of the values, below it.
        values: (7, 7).
        signed: Whether 0 is the middle of the colors.
        neutral: Cells up to this value stay clear, where not signed.
    """

    title: str
    unit: str
    values: Values
    signed: bool
    neutral: float


def plot_maps(picture_rgb: NDArray[np.uint8], maps: Sequence[Map]) -> go.Figure:
    """Draws each map over the same face, exactly over its cells.

    Args:
        picture_rgb: What the model sees of the face, (h, w, 3) uint8.
        maps: One or more.
    """
    figure = make_subplots(
        1, len(maps), subplot_titles=[m.title for m in maps], horizontal_spacing=_GAP
    )
    width = (1 - _GAP * (len(maps) - 1)) / len(maps)
    picture = encode_png(picture_rgb)
    centers = np.arange(GRID) + 0.5
    for number, each in enumerate(maps, 1):
        lay_picture(figure, picture, GRID, GRID, row=1, col=number)
        low, high = each.neutral, max(float(np.nanmax(each.values)), each.neutral + 1e-9)
        if each.signed:
            low, high = signed_range(each.values, 1e-9)
        figure.add_heatmap(
            z=each.values,
            x=centers,
            y=centers,
            zmin=low,
            zmax=high,
            colorscale=map_scale(each.signed),
            opacity=0.6,
            xgap=1,
            ygap=1,
            customdata=np.moveaxis(np.indices((GRID, GRID)), 0, -1),
            hovertemplate="row %{customdata[0]}, column %{customdata[1]}: %{z:.3g}<extra></extra>",
            colorbar={
                "title": {"text": each.unit, "side": "bottom"},
                "orientation": "h",
                "thickness": 10,
                "len": 0.9 * width,
                "x": (number - 1) * (width + _GAP) + width / 2,
                "y": 0,
                "yanchor": "top",
            },
            row=1,
            col=number,
        )
    figure.update_xaxes(range=[0, GRID], visible=False, constrain="domain")
    figure.update_yaxes(range=[GRID, 0], visible=False, constrain="domain")
    for number in range(1, len(maps) + 1):
        anchor = "x" if number == 1 else f"x{number}"
        figure.update_yaxes(scaleanchor=anchor, row=1, col=number)
    figure.update_layout(
        width=_PANEL_PX * len(maps),
        height=_PANEL_PX + _TOP_PX + _BELOW_PX,
        margin={"l": 0, "r": 0, "t": _TOP_PX, "b": _BELOW_PX},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return figure
