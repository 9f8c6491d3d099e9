"""The probability of each expression as bars that look the same on every page."""

import html

import numpy as np
import plotly.graph_objects as go

from fervt.amounts import percent
from fervt.labels import expression

ROW_PX = 36
_TEXT_PX = 14
_FAINT = 0.55  # of the bars that do not lead


def plot_probabilities(probabilities: np.ndarray, classes: tuple[str, ...]) -> go.Figure:
    """Draws one horizontal bar per class, in the vocabulary's order and the expressions' colors.

    Args:
        probabilities: (C,), 0..1.
        classes: C labels of a vocabulary.
    """
    shares = np.asarray(probabilities, dtype=float)
    shown = [expression(label) for label in classes]
    leading = int(shares.argmax())
    names = [f"<b>{e.name}</b>" if i == leading else e.name for i, e in enumerate(shown)]
    texts = [html.escape(percent(share)) for share in shares.tolist()]
    texts[leading] = f"<b>{texts[leading]}</b>"
    bars = go.Bar(
        x=100 * shares,
        y=names,
        orientation="h",
        text=texts,
        textposition="outside",
        textfont={"size": _TEXT_PX},
        cliponaxis=False,  # the label of a long bar is in the margin
        marker={
            "color": [e.color for e in shown],
            "opacity": [1.0 if i == leading else _FAINT for i in range(len(shown))],
            "cornerradius": 4,
        },
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(
        height=ROW_PX * len(shown) + 40,
        margin={"l": 8, "r": 56, "t": 8, "b": 32},
        bargap=0.28,
        showlegend=False,
        dragmode=False,
    )
    marks = [0, 25, 50, 75, 100]
    figure.update_xaxes(
        range=[0, 100], tickvals=marks, ticktext=[f"{m}%" for m in marks], fixedrange=True
    )
    figure.update_yaxes(
        autorange="reversed",
        automargin=True,
        fixedrange=True,
        ticks="",
        showgrid=False,
        tickfont={"size": _TEXT_PX},
    )
    return figure
