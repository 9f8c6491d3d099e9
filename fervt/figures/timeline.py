"""One face's expressions over time, from a webcam or a video."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fervt.labels import expression

_MARK = "#8A8A99"


def timeline_figure(
    times_s: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    marked_s: float | None = None,
    height_px: int = 300,
    clickable: bool = False,
) -> go.Figure:
    """Draws one line per class; gaps mark times without the face.

    Args:
        times_s: (T,), since the start.
        probabilities: (T, C), 0..1, NaN where the face was away.
        classes: C labels of a vocabulary.
        marked_s: Where to draw a line across; None for nowhere.
        height_px: Height of the figure.
        clickable: Whether a click selects a moment, whose time is the point's `customdata`.
    """
    figure = go.Figure()
    for label, values in zip(classes, np.asarray(probabilities).T, strict=True):
        shown = expression(label)
        figure.add_scatter(
            x=times_s,
            y=values,
            name=shown.name,
            mode="lines",
            line={"color": shown.color, "width": 2.5},
            connectgaps=False,
            hovertemplate="%{y:.0%}",
        )
    if clickable:  # of lines alone, Plotly selects nothing; the last trace is the one it asks
        unseen = {"marker": {"opacity": 0}}
        figure.add_scatter(
            x=times_s,
            y=np.zeros(len(times_s)),
            customdata=times_s,
            mode="markers",
            marker={"size": 6, "opacity": 0, "maxdisplayed": 1},  # each drawn one is slow
            selected=unseen,
            unselected=unseen,
            hoverinfo="none",
            showlegend=False,
        )
        figure.update_xaxes(range=[times_s[0], times_s[-1]])  # points would get a margin
        figure.update_layout(hoverdistance=-1)  # a click counts between two moments, too
    if marked_s is not None:
        figure.add_vline(x=marked_s, line={"color": _MARK, "dash": "dash"})
    figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": 8, "t": 8, "b": 6},
        xaxis={"title": "seconds since the start", "showgrid": False},
        yaxis={"tickformat": ".0%", "range": [0, 1.02], "fixedrange": True},
        legend={"orientation": "h", "y": -0.3},
        hovermode="x unified",
        uirevision="timeline",  # a zoom survives the next half second
    )
    return figure
