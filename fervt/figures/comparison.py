"""Charts that compare checkpoints: each with its interval, and which one alone is right."""

from collections.abc import Sequence

import plotly.graph_objects as go

from fervt.figures.evaluation_curves import STYLES
from fervt.figures.grid import PERCENT_TICKS, RIGHT_PX
from fervt.figures.ink import BLACK, WHITE

_ROW_PX = 46
_BOTH, _NEITHER = "#8A8A99", "#C9CAD6"


def accuracy_figure(
    names: Sequence[str], accuracies: Sequence[float], intervals: Sequence[tuple[float, float]]
) -> go.Figure:
    """Draws each checkpoint's accuracy as a point on its 95% interval, the first on top."""
    figure = go.Figure()
    for name, accuracy, (low, high), (color, _) in zip(
        names, accuracies, intervals, STYLES, strict=False
    ):
        figure.add_scatter(
            x=[accuracy],
            y=[name],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - accuracy],
                "arrayminus": [accuracy - low],
                "thickness": 3,
                "width": 8,
                "color": color,
            },
            mode="markers+text",
            text=[f"{accuracy:.1%}"],
            textposition="top center",
            cliponaxis=False,
            marker={"size": 13, "color": color},
            hovertemplate=f"{name}: {accuracy:.1%} ({low:.1%} to {high:.1%})<extra></extra>",
        )
    return _rows(figure, len(names), "accuracy, with its 95% interval")


def outcomes_figure(
    pairs: Sequence[tuple[str, str]], counts: Sequence[tuple[int, int, int, int]]
) -> go.Figure:
    """Draws which of two is right on the same faces, one bar per pair.

    Args:
        pairs: Names of the two.
        counts: Faces on which both, only the first, only the second, and neither are right.
    """
    figure = go.Figure()
    names = [f"{first} and {second}" for first, second in pairs]
    parts = (
        ("both right", _BOTH, WHITE),
        ("only the first", STYLES[0][0], WHITE),
        ("only the second", STYLES[1][0], BLACK),
        ("neither", _NEITHER, BLACK),
    )
    for part, (title, color, ink) in enumerate(parts):
        shares = [each[part] / sum(each) for each in counts]
        if len(pairs) == 1 and part in (1, 2):
            title = f"only {pairs[0][part - 1]}"
        figure.add_bar(
            x=shares,
            y=names,
            orientation="h",
            name=title,
            marker={"color": color},
            text=[f"{share:.0%}" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textfont={"color": ink},
            customdata=[each[part] for each in counts],
            hovertemplate=f"{title}: %{{customdata:,}} faces, %{{x:.1%}}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        # Below, where its rows have room on a phone, too.
        legend={"orientation": "h", "y": -0.05, "yanchor": "top", "traceorder": "normal"},
    )
    figure.update_xaxes(range=[0, 1], visible=False)
    return _rows(figure, len(pairs) + 1, "")


def _rows(figure: go.Figure, count: int, title: str) -> go.Figure:
    figure.update_layout(
        height=_ROW_PX * count + 70,
        margin={"l": 0, "r": RIGHT_PX, "t": 24, "b": 6},
        showlegend=figure.layout.barmode == "stack",
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(title=title, **PERCENT_TICKS, fixedrange=True)
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True)
    return figure
