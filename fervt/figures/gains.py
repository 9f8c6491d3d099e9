"""What the orders of maps gain over other orders, over many faces."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fervt.amounts import with_range
from fervt.figures.grid import RIGHT_PX

Gain = tuple[float, float, float]
"""A mean gain and the ends of its 95% interval."""

_ROW_PX = 58
_STYLES = (("#0072B2", "circle"), ("#D55E00", "diamond"))


def gain_figure(
    names: Sequence[str], gains: Mapping[str, Mapping[str, Sequence[Gain]]]
) -> go.Figure:
    """Draws gains as points on their intervals, one row a map and one column a test.

    Args:
        names: K maps, the first on top.
        gains: By test ("Deletion", "Insertion") and by the two orders that they are compared with,
            K gains.
    """
    figure = make_subplots(
        cols=len(gains), shared_yaxes=True, horizontal_spacing=0.06, subplot_titles=list(gains)
    )
    for column, (test, compared) in enumerate(gains.items(), start=1):
        for (other, row), (color, symbol) in zip(compared.items(), _STYLES, strict=True):
            value, low, high = zip(*row, strict=True)
            figure.add_scatter(
                x=value,
                y=list(names),
                name=other,
                legendgroup=other,
                showlegend=column == 1,
                offsetgroup=other,
                orientation="h",
                mode="markers",
                marker={"size": 10, "color": color, "symbol": symbol},
                error_x={
                    "array": [end - v for v, end in zip(value, high, strict=True)],
                    "arrayminus": [v - end for v, end in zip(value, low, strict=True)],
                    "thickness": 2,
                    "width": 4,
                },
                text=[with_range(*gain, ".3f") for gain in row],
                hovertemplate=f"{test}, %{{y}}, {other}: %{{text}}<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_layout(
        scattermode="group",
        height=_ROW_PX * len(names) + 130,
        margin={"l": 0, "r": RIGHT_PX, "t": 30, "b": 6},
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(
        title="gain", tickformat=".2~f", nticks=5, zeroline=True, zerolinewidth=2, fixedrange=True
    )
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True)
    return figure
