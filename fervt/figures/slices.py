"""Accuracy of slices, each with its interval and its number of faces."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fervt.figures.grid import RIGHT_PX

_ROW_PX = 50
_COLOR = "#5457CD"


def slice_figure(
    titles: Sequence[str],
    accuracies: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    counts: Sequence[int],
    overall: float,
) -> go.Figure:
    """Draws a mark with its interval for each slice, in the order given, and a line for all.

    Args:
        titles: K.
        accuracies: K, 0..1.
        intervals: K, low and high.
        counts: K, faces.
        overall: Accuracy of all faces.
    """
    low, high = np.array(intervals).T
    value = np.array(accuracies)
    figure = go.Figure(
        go.Scatter(
            x=value,
            y=np.arange(len(titles)),
            mode="markers",
            text=[f"{title}, n = {n:,}" for title, n in zip(titles, counts, strict=True)],
            marker={"size": 11, "color": _COLOR},
            error_x={
                "type": "data",
                "array": high - value,
                "arrayminus": value - low,
                "thickness": 2,
                "width": 4,
            },
            hovertemplate="%{text}: %{x:.1%}<extra></extra>",
        )
    )
    # A title may be as long as a phone is wide, so it goes above its mark, not beside it.
    for row, (title, n) in enumerate(zip(titles, counts, strict=True)):
        figure.add_annotation(
            x=0,
            y=row - 0.28,
            text=f"{title}, n = {n:,}",
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
        )
    figure.add_vline(x=overall, line={"color": "#8A8A99", "dash": "dot", "width": 1.5})
    figure.update_layout(
        height=_ROW_PX * len(titles) + 60,
        margin={"l": 0, "r": RIGHT_PX, "t": 24, "b": 6},
        showlegend=False,
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(range=[0, 1], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(
        visible=False, fixedrange=True, range=[len(titles) - 0.6, -0.9], zeroline=False
    )
    return figure
