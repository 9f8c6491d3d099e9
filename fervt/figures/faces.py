"""A picture with the boxes of its faces, to zoom and hover."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.draw import box_corners
from fervt.figures.grid import encode_picture, lay_picture

_LONGER_PX = 640  # of the figure, without its margins
_LINE_PX = 3


def plot_faces(
    image_rgb: NDArray[np.uint8],
    boxes_xyxy_px: Sequence[tuple[int, int, int, int]],
    captions: Sequence[str],
    hover: Sequence[str],
    colors: Sequence[str],
    angles_deg: Sequence[float],
) -> go.Figure:
    """Draws a picture with one captioned box per face.

    Args:
        image_rgb: (h, w, 3) uint8.
        boxes_xyxy_px: Left, top, right, bottom in pixels of the picture.
        captions: One per box.
        hover: What hovering over each box shows.
        colors: One `#RRGGBB` per box.
        angles_deg: How far each box is tilted clockwise about its center.
    """
    height, width = image_rgb.shape[:2]
    scale = _LONGER_PX / max(height, width)
    figure = go.Figure()
    picture = encode_picture(image_rgb, 2 * _LONGER_PX)
    lay_picture(figure, picture, width, height, xref="x", yref="y")
    boxes = zip(boxes_xyxy_px, captions, hover, colors, angles_deg, strict=True)
    for box, caption, text, color, angle in boxes:
        x, y = box_corners(box, angle)[[0, 1, 2, 3, 0]].T
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": color, "width": _LINE_PX},
            fill="toself",
            fillcolor="rgba(0,0,0,0)",
            hoveron="fills",
            text=text,
            hoverinfo="text",
            name=caption,
        )
        figure.add_annotation(
            x=x.min(),
            y=y.min(),
            text=caption,
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"color": "#FFFFFF", "size": 13},
            bgcolor="rgba(20,20,20,0.75)",
        )
    axis = {"visible": False, "constrain": "domain"}
    figure.update_layout(
        width=max(120, round(width * scale)),
        height=max(120, round(height * scale)),
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        xaxis={**axis, "range": [0, width]},
        yaxis={**axis, "range": [height, 0], "scaleanchor": "x"},
        showlegend=False,
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return figure
