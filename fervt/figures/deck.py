"""Charts for a screen seen from across a room: few marks, large type."""

import re
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fervt.figures.evaluation_curves import STYLES

OURS, OTHER = "#5457CD", "#8A8A99"
_TYPE_PX = 20
_LINE = 18  # characters of a name on one line; a phone has room for no more beside the bars
_VALUE_PX = 95  # room for a value at the end of the longest bar


def bars_figure(
    categories: Sequence[str],
    series: Mapping[str, Sequence[float]],
    as_percent: bool,
    marked: str | None = None,
) -> go.Figure:
    """Draws horizontal bars with their values, the first category on top.

    Args:
        categories: N names.
        series: N values by name, shares of 1 where `as_percent`.
        as_percent: Whether to write them as percentages.
        marked: The category in the accent's color, where only one series is drawn.
    """
    figure = go.Figure()
    several = len(series) > 1
    for (name, values), (color, _) in zip(series.items(), STYLES, strict=False):
        one_by_one = [OTHER if marked and c != marked else OURS for c in categories]
        whole = all(float(value).is_integer() for value in values)
        form = ".1%" if as_percent else ",.0f" if whole else ".2f"
        figure.add_bar(
            x=list(values),
            y=list(categories),
            name=name,
            orientation="h",
            marker={"color": color if several else one_by_one},
            text=[format(value, form) for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}: %{{text}}<extra>{name}</extra>",
        )
    figure.update_layout(
        showlegend=several, legend={"orientation": "h", "y": -0.05, "font": {"size": _TYPE_PX}}
    )
    largest = max((max(values) for values in series.values()), default=1)
    figure.update_xaxes(visible=False, range=[0, largest])
    figure.update_yaxes(
        autorange="reversed",
        ticksuffix="  ",
        tickvals=list(range(len(categories))),
        ticktext=[in_lines(category) for category in categories],
    )
    return _large(figure).update_layout(margin_r=_VALUE_PX)


def in_lines(name: str) -> str:
    """A name in lines of at most 18 characters, if its words and parts of words allow it."""
    lines = [""]
    for part in re.findall(r"[^ _]*[ _]|[^ _]+", name):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > _LINE:
            lines.append("")
        lines[-1] += part
    return "<br>".join(line.rstrip() for line in lines)


def lines_figure(
    x_title: str, y_title: str, series: Mapping[str, Sequence[tuple[float, float]]]
) -> go.Figure:
    """Draws curves of shares against shares; all but the first are references, in gray dashes."""
    figure = go.Figure()
    for index, (name, points) in enumerate(series.items()):
        x, y = zip(*points, strict=True)
        reference = {"width": 2, "dash": "dash", "color": OTHER}
        line = reference if index else {"width": 5, "color": OURS}
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line=line)
    low = min(y for points in series.values() for _, y in points)
    figure.update_xaxes(title=x_title, tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title=y_title, tickformat=".0%", range=[min(low, 0.5) - 0.02, 1.01])
    figure.update_layout(
        showlegend=len(series) > 1,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "font": {"size": _TYPE_PX}},
    )
    return _large(figure)


def _large(figure: go.Figure) -> go.Figure:
    figure.update_layout(
        height=470, margin={"l": 10, "r": 30, "t": 10, "b": 10}, font_size=_TYPE_PX
    )
    font = {"size": _TYPE_PX}
    figure.update_xaxes(tickfont=font, title_font=font, automargin=True)
    figure.update_yaxes(tickfont=font, title_font=font, automargin=True)
    return figure
