"""What every figure on the 7x7 grid shares: the face below it, clickable cells, the marked cell.

Axes count cells: cell (r, c) is the square from (c, r) to (c + 1, r + 1), and y points down, so
that row 0 is at the top. The face fills the same 7 x 7 units, whatever its size in pixels.
"""

import base64
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.draw import jpeg_bytes, png_bytes
from fervt.grid import GRID

SEQUENTIAL = "Viridis"
DIVERGING = "RdBu_r"  # red above 0, blue below, white at 0
FACE_PX = 380
RIGHT_PX = 20  # beside axes that end in a number: half of it is outside, "100%" at most
BAR_PX = 52  # height of a color bar below a picture, with its numbers and its unit
MARK = ("#000000", "#FFD400")  # a dark casing below a light line shows on every background

PERCENT_TICKS: dict[str, Any] = {
    "tickformat": ".0%",
    "tickformatstops": [{"dtickrange": [None, 0.0099], "value": ".1%"}],
}
"""Numbers of an axis of shares, 0..1. Where it spans a few points, whole ones would repeat."""

Cell = tuple[int, int]
Values = NDArray[np.floating]


def grid_figure(
    picture_rgb: NDArray[np.uint8] | None, height_px: int, below_px: int = 6
) -> go.Figure:
    """An empty figure in grid coordinates over a picture (h, w, 3) uint8 RGB.

    Args:
        picture_rgb: What the model sees of the face; None for no picture.
        height_px: Height of the figure.
        below_px: How much of it is left free below the grid.
    """
    axis = {
        "range": [0, GRID],
        "visible": False,
        "fixedrange": True,
        "constrain": "domain",
    }
    figure = go.Figure()
    figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": 0, "t": 6, "b": below_px},
        xaxis=axis,
        yaxis={**axis, "range": [GRID, 0], "scaleanchor": "x", "constraintoward": "top"},
        dragmode=False,
        showlegend=False,
        hovermode="closest",
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    if picture_rgb is not None:
        lay_picture(figure, encode_png(picture_rgb), GRID, GRID, xref="x", yref="y")
    return figure


def lay_picture(
    figure: go.Figure, source: str, width: float, height: float, **where: str | int
) -> None:
    """Puts a picture below a figure's marks, starting at its origin.

    Args:
        figure: Its y axis points down.
        source: The picture as a data URI.
        width: In the x axis's units.
        height: In the y axis's units.
        where: Which axes: `xref` and `yref`, or `row` and `col`.
    """
    figure.add_layout_image(
        source=source,
        x=0,
        y=0,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
        **where,
    )


def encode_png(picture_rgb: NDArray[np.uint8]) -> str:
    """A picture (h, w, 3) uint8 RGB as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(picture_rgb)).decode()


def encode_picture(picture_rgb: NDArray[np.uint8], longer_px: int, quality: int = 95) -> str:
    """A photo (h, w, 3) uint8 RGB as the data URI of a JPEG, its longer side limited."""
    scale = longer_px / max(picture_rgb.shape[:2])
    if scale < 1:
        height, width = (max(1, round(scale * side)) for side in picture_rgb.shape[:2])
        picture_rgb = cv2.resize(picture_rgb, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    data = jpeg_bytes(picture_rgb, quality)
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def dim(picture_rgb: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Darkens a picture: share 0 leaves it, 1 makes it black."""
    return np.rint(picture_rgb * (1 - share)).astype(np.uint8)


def add_cells(figure: go.Figure, hover: Sequence[str]) -> None:
    """Adds 49 invisible squares that can be clicked: their customdata is [row, column].

    Args:
        figure: In grid coordinates.
        hover: 49 texts, row by row.
    """
    rows, columns = np.divmod(np.arange(GRID * GRID), GRID)
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=columns + 0.5,
        y=rows + 0.5,
        mode="markers",
        marker={"symbol": "square", "size": 36, "opacity": 0},
        selected=unseen,
        unselected=unseen,
        customdata=np.stack([rows, columns], axis=1),
        text=list(hover),
        hovertemplate="%{text}<extra></extra>",
        name="cells",
    )


def mark_cell(figure: go.Figure, cell: Cell | None) -> None:
    """Outlines a cell, so that it is the same cell in every view; None for none."""
    if cell is None:
        return
    row, column = cell
    for color, width in zip(MARK, (6, 3), strict=True):
        figure.add_shape(
            type="rect",
            x0=column,
            x1=column + 1,
            y0=row,
            y1=row + 1,
            line={"color": color, "width": width},
        )


def color_range(
    values: Values, low: float, high: float, stretch: bool = False
) -> tuple[float, float]:
    """The range of a color bar: a fixed one, so that even values look even.

    Args:
        values: What is drawn; the range is widened if they exceed it.
        low: Its lower end.
        high: Its upper end.
        stretch: Fit the range to the values instead, if they differ at all.
    """
    finite = values[np.isfinite(values)]
    least, most = (float(finite.min()), float(finite.max())) if finite.size else (low, high)
    if stretch and most > least:
        return least, most
    return min(low, least), max(high, most)


def signed_range(values: Values, least: float) -> tuple[float, float]:
    """A range about 0 that is as wide as the values, and at least `least`."""
    widest = max(least, float(np.nanmax(np.abs(values), initial=0)))
    return -widest, widest


def color_bar(title: str) -> dict:
    """A thin color bar to the right, with its unit along it."""
    return {"title": {"text": title, "side": "right"}, "thickness": 12, "len": 0.92, "xpad": 6}


def color_bar_below(title: str, row: int = 0) -> dict:
    """A thin color bar below a square picture, which then has the whole width.

    Args:
        title: The unit.
        row: 0 is directly below the picture, 1 below that bar.
    """
    return {
        "title": {"text": title, "side": "bottom"},
        "orientation": "h",
        "thickness": 10,
        "len": 0.9,
        "y": 0,
        "yanchor": "top",
        "ypad": 8 + BAR_PX * row,
    }
