"""A 7x7 map over its face."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.figures.grid import (
    BAR_PX,
    FACE_PX,
    Cell,
    Values,
    add_cells,
    color_bar_below,
    color_range,
    grid_figure,
    mark_cell,
    signed_range,
)
from fervt.figures.tint import map_scale
from fervt.grid import GRID


def overlay_figure(
    picture_rgb: NDArray[np.uint8],
    values: Values,
    *,
    unit: str,
    signed: bool = False,
    range_: tuple[float, float] = (1.0, 2.0),
    stretch: bool = False,
    opacity: float = 0.6,
    cell: Cell | None = None,
    height_px: int = FACE_PX + BAR_PX,
) -> go.Figure:
    """Draws cell values over the face, each exactly over its cell.

    Args:
        picture_rgb: What the model sees of the face, (h, w, 3) uint8.
        values: (7, 7).
        unit: Of the values, for the color bar.
        signed: Whether 0 is the middle of the colors.
        range_: The color bar's range where it isn't stretched: cells up to its lower end stay
            clear. A signed one is at least as wide as its upper end to both sides.
        stretch: Fit the colors to the values.
        opacity: Of the colors, 0..1.
        cell: The marked cell.
        height_px: Height of the figure.
    """
    figure = grid_figure(picture_rgb, height_px, BAR_PX)
    if signed:
        low, high = signed_range(values, 0.0 if stretch else range_[1])
    else:
        low, high = color_range(values, *range_, stretch)
        low = low if stretch else range_[0]
    centers = np.arange(GRID) + 0.5
    figure.add_heatmap(
        z=values,
        x=centers,
        y=centers,
        zmin=low,
        zmax=high,
        colorscale=map_scale(signed),
        opacity=opacity,
        xgap=1,
        ygap=1,
        colorbar=color_bar_below(unit),
        hoverinfo="skip",
    )
    add_cells(
        figure,
        [
            f"row {row}, column {column}: {values[row, column]:.3g} {unit}"
            for row in range(GRID)
            for column in range(GRID)
        ],
    )
    mark_cell(figure, cell)
    return figure
