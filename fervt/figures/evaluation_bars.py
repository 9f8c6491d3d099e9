"""Bar charts: classes, people and tools, votes, and the cost of accuracy."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fervt.amounts import points
from fervt.figures.evaluation_curves import STYLES
from fervt.figures.grid import PERCENT_TICKS, RIGHT_PX, Values
from fervt.figures.ink import BLACK
from fervt.labels import expression

_ROW_PX = 34
_OTHER = "#8A8A99"
_OURS = "#5457CD"
_SIDES = ("#D55E00", "#56B4E9", "#8A8A99")


def class_figure(
    classes: Sequence[str], precision: Values, recall: Values, f1: Values
) -> go.Figure:
    """Draws precision, recall and F1 (C,) of each class as marks on one line."""
    names = [expression(label).name for label in classes]
    figure = go.Figure()
    for low, high, name in zip(
        np.minimum(precision, recall), np.maximum(precision, recall), names, strict=True
    ):
        figure.add_scatter(
            x=[low, high],
            y=[name, name],
            mode="lines",
            line={"color": _OTHER, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    marks = (
        ("Precision", precision, "triangle-right", STYLES[0][0]),
        ("Recall", recall, "triangle-left", STYLES[1][0]),
        ("F1", f1, "circle", STYLES[2][0]),
    )
    for title, values, symbol, color in marks:
        figure.add_scatter(
            x=values,
            y=names,
            name=title,
            mode="markers",
            marker={"symbol": symbol, "size": 13, "color": color},
            hovertemplate=f"%{{y}}: {title} %{{x:.1%}}<extra></extra>",
        )
    return _rows(figure, len(names), [-0.02, 1.02])


def change_figure(
    classes: Sequence[str],
    changes: Sequence[Values],
    intervals: Sequence[tuple[Values, Values]],
    names: Sequence[str],
) -> go.Figure:
    """Draws the change of F1 of each class with its interval, one mark per model.

    Args:
        classes: C labels.
        changes: K changes (C,), as shares.
        intervals: K lower and upper limits (C,).
        names: K.
    """
    labels = [expression(label).name for label in classes]
    figure = go.Figure()
    for values, (low, high), name, (color, _) in zip(
        changes, intervals, names, STYLES[1:], strict=False
    ):
        figure.add_scatter(
            x=100 * values,
            y=labels,
            mode="markers",
            error_x={
                "type": "data",
                "symmetric": False,
                "array": 100 * (high - values),
                "arrayminus": 100 * (values - low),
                "color": color,
            },
            name=name,
            marker={"color": color, "size": 10},
            text=[points(value) for value in values],
            hovertemplate=f"{name}, %{{y}}: %{{text}}<extra></extra>",
        )
    _rows(figure, len(labels), None)
    figure.update_layout(scattermode="group", showlegend=len(changes) > 1)
    figure.update_xaxes(
        title="change of F1 in points, with its 95% interval",
        tickformat="",
        zeroline=True,
        zerolinewidth=2,
    )
    return figure


def standing_figure(
    names: Sequence[str],
    accuracies: Sequence[float],
    spreads: Sequence[tuple[float, float] | None],
    ours: Sequence[bool],
) -> go.Figure:
    """Draws accuracies as points with their intervals, the first on top.

    Args:
        names: K names.
        accuracies: K, 0..1.
        spreads: K, lower and upper end; None if there is none.
        ours: Which of them are checkpoints of this program.
    """
    figure = go.Figure()
    for name, value, known, own in zip(names, accuracies, spreads, ours, strict=True):
        spread = known or (value, value)
        text = f"<b>{value:.1%}</b>" if own else f"{value:.1%}"
        figure.add_scatter(
            x=[value],
            y=[f"<b>{name}</b>" if own else name],
            error_x={
                "array": [spread[1] - value],
                "arrayminus": [value - spread[0]],
                "thickness": 2,
                "width": 5,
            },
            mode="markers+text",
            text=[text],
            textposition="top center",
            marker={
                "size": 13 if own else 10,
                "color": _OURS if own else _OTHER,
                "symbol": "diamond" if own else "circle",
            },
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    _rows(figure, 1.3 * len(names), None)
    figure.update_layout(showlegend=False)
    return figure


def people_figure(counts: Sequence[int], names: Sequence[str]) -> go.Figure:
    """Draws one bar of all errors, split by what the annotators say."""
    total = max(1, sum(counts))
    figure = go.Figure()
    for count, name, color in zip(counts, names, _SIDES, strict=True):
        share = count / total
        figure.add_bar(
            x=[share],
            y=[""],
            orientation="h",
            name=name,
            marker={"color": color},
            text=f"{share:.0%}",
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": BLACK},  # at least 5:1 on each of the three
            textangle=0,
            hovertemplate=f"{name}: {count:,} errors (%{{x:.1%}})<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        height=150,
        margin={"l": 0, "r": 0, "t": 6, "b": 0},
        legend={"orientation": "h", "y": -0.1, "traceorder": "normal"},
        dragmode=False,
    )
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, 1])
    figure.update_yaxes(visible=False, fixedrange=True)
    return figure


def votes_figure(
    classes: Sequence[str], shares: Sequence[Values], names: Sequence[str], height_px: int = 300
) -> go.Figure:
    """Draws distributions (C,) over the same classes as bars beside each other."""
    labels = [expression(label).name for label in classes]
    figure = go.Figure()
    for values, name, (color, _) in zip(shares, names, STYLES[: len(names)], strict=True):
        figure.add_bar(
            x=values,
            y=labels,
            orientation="h",
            name=name,
            marker={"color": color},
            hovertemplate=f"{name}, %{{y}}: %{{x:.0%}}<extra></extra>",
        )
    _rows(figure, len(labels), None)
    figure.update_layout(height=height_px)
    figure.update_xaxes(range=[0, 1])
    return figure


def cost_figure(
    names: Sequence[str],
    costs: Sequence[float],
    accuracies: Sequence[float],
    unit: str,
    spreads: Sequence[tuple[float, float]] | None = None,
) -> go.Figure:
    """Draws accuracy against the cost per face; up and to the left is better.

    Args:
        names: K checkpoints.
        costs: K.
        accuracies: K, 0..1.
        unit: Of the costs.
        spreads: K lower and upper quartiles of the costs, where they were measured.
    """
    figure = go.Figure()
    spreads = spreads or [(cost, cost) for cost in costs]
    for name, cost, (low, high), accuracy, (color, _) in zip(
        names, costs, spreads, accuracies, STYLES, strict=False
    ):
        figure.add_scatter(
            x=[cost],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - cost],
                "arrayminus": [cost - low],
                "color": color,
            },
            y=[accuracy],
            mode="markers+text",
            text=[name],
            textposition="top center",
            marker={"size": 14, "color": color},
            hovertemplate=f"{name}: %{{y:.1%}} at %{{x:.3g}} {unit}<extra></extra>",
        )
    figure.update_layout(
        height=320,
        margin={"l": 0, "r": RIGHT_PX, "t": 10, "b": 6},
        showlegend=False,
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(title=unit, fixedrange=True, range=[0, 1.35 * max(costs)])
    room = 0.02 + (max(accuracies) - min(accuracies))
    figure.update_yaxes(
        title="accuracy",
        tickformat=".1%",
        fixedrange=True,
        range=[min(accuracies) - 0.3 * room, max(accuracies) + 0.5 * room],
    )
    return figure


def _rows(figure: go.Figure, count: float, range_: list[float] | None) -> go.Figure:
    figure.update_layout(
        height=int(_ROW_PX * count) + 90,
        margin={"l": 0, "r": RIGHT_PX, "t": 6, "b": 6},
        legend={"orientation": "h", "y": -0.14},
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(range=range_, **PERCENT_TICKS, fixedrange=True)
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True)
    return figure
