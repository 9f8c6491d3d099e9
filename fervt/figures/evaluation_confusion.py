"""Confusion matrices with clickable cells."""

import re
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.amounts import points, signed
from fervt.figures.grid import MARK
from fervt.figures.ink import Scale, text_on, write_in

_ACCENT = "84,87,205"  # tints of it look right on light and on dark pages
_WARM = "213,94,0"
_COLD = "0,114,178"
_SCALE: Scale = ((0.0, f"rgba({_ACCENT},0.04)"), (1.0, f"rgba({_ACCENT},1)"))
_SIGNED: Scale = (
    (0.0, f"rgba({_COLD},0.9)"),
    (0.5, "rgba(127,127,127,0.05)"),
    (1.0, f"rgba({_WARM},0.9)"),
)
_ROW_PX = 52
_LINE = 10  # characters that fit for each of four names side by side on a phone

Cell = tuple[int, int]


def confusion_figure(
    counts: NDArray[np.integer],
    names: Sequence[str],
    *,
    as_shares: bool = True,
    marked: Cell | None = None,
    ink: str | None = None,
) -> go.Figure:
    """Draws a confusion matrix; a cell's customdata is [label, prediction].

    Args:
        counts: (C, C), rows are labels, columns predictions.
        names: C names for people.
        as_shares: Print each row's shares instead of counts; the colors are always shares.
        marked: The cell to outline.
        ink: The page's text color; None if it is unknown.
    """
    support = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(support, 1)
    texts = [[f"{s:.0%}" if as_shares else f"{n:,}" for s, n in zip(*row, strict=True)]
             for row in zip(shares, counts, strict=True)]  # fmt: skip
    hover = [
        [
            f"{n:,} of {int(total):,} {label} faces ({s:.1%})<br>were taken for {answer}"
            for answer, n, s in zip(names, row, part, strict=True)
        ]
        for label, row, part, total in zip(names, counts, shares, support[:, 0], strict=True)
    ]
    return _matrix(shares, texts, hover, names, _SCALE, (0.0, 1.0), marked, ink)


def confusion_change_figure(
    change: NDArray[np.floating], names: Sequence[str], ink: str | None = None
) -> go.Figure:
    """Draws how shares (C, C) of each label's row changed, -1..1; red is more often."""
    widest = max(0.05, float(np.abs(change).max(initial=0)))
    texts = [[signed(100 * value) for value in row] for row in change]
    hover = [
        [
            f"{label} taken for {answer}:<br>{points(value)}"
            for answer, value in zip(names, row, strict=True)
        ]
        for label, row in zip(names, change, strict=True)
    ]
    range_ = (-widest, widest)
    return _matrix(change, texts, hover, names, _SIGNED, range_, None, ink)


def agreement_figure(
    shares: NDArray[np.floating], names: Sequence[str], ink: str | None = None
) -> go.Figure:
    """Draws shares (K, K) of rows on which two models give the same answer."""
    texts = [[f"{value:.1%}" for value in row] for row in shares]
    hover = [
        [f"{a} and {b}: {value:.1%}" for b, value in zip(names, row, strict=True)]
        for a, row in zip(names, shares, strict=True)
    ]
    lines = [_in_lines(name) for name in names]
    figure = _matrix(shares, texts, hover, lines, _SCALE, (0.0, 1.0), None, ink)
    figure.update_xaxes(title="", tickangle=0, ticklabeloverflow="allow")
    figure.update_yaxes(title="")
    return figure


def _in_lines(name: str) -> str:
    """A name with line breaks after hyphens and the like, if it is too long for one line."""
    lines = [""]
    for part in re.findall(r"[^-_. ]*[-_. ]|[^-_. ]+", name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > _LINE:
            lines.append("")
        lines[-1] += part
    return "<br>".join(lines)


def _matrix(
    values: NDArray[np.floating],
    texts: Sequence[Sequence[str]],
    hover: Sequence[Sequence[str]],
    names: Sequence[str],
    scale: Scale,
    range_: tuple[float, float],
    marked: Cell | None,
    ink: str | None,
) -> go.Figure:
    size = len(names)
    low, high = range_
    figure = go.Figure(
        go.Heatmap(
            z=values,
            zmin=low,
            zmax=high,
            colorscale=scale,
            showscale=False,
            hoverinfo="skip",
            xgap=2,
            ygap=2,
        )
    )
    rows, columns = np.divmod(np.arange(size * size), size)
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"symbol": "square", "size": 40, "opacity": 0},
        selected=unseen,
        unselected=unseen,
        customdata=np.stack([rows, columns], axis=1),
        text=[text for row in hover for text in row],
        hovertemplate="%{text}<extra></extra>",
    )
    # Annotations, because a trace's text fades when a cell is selected; set together, because
    # add_annotation copies the existing ones.
    shares = ((values - low) / (high - low)).tolist()
    notes = [
        {
            "x": column,
            "y": row,
            "text": texts[row][column],
            "showarrow": False,
            "captureevents": False,
            "font": {"color": text_on(scale, shares[row][column], ink)},
        }
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    axis = {
        "tickvals": np.arange(size),
        "ticktext": list(names),
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "range": [-0.5, size - 0.5],
    }
    figure.update_layout(
        annotations=notes,
        height=_ROW_PX * size + 90,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        xaxis={**axis, "side": "top", "title": "Prediction"},
        yaxis={**axis, "range": [size - 0.5, -0.5], "title": "Label"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        dragmode=False,
        hovermode="closest",
    )
    if marked is not None:
        row, column = marked
        for color, width in zip(MARK, (6, 3), strict=True):
            figure.add_shape(
                type="rect",
                x0=column - 0.49,
                x1=column + 0.49,
                y0=row - 0.49,
                y1=row + 0.49,
                line={"color": color, "width": width},
            )
    return figure if ink is None else write_in(figure, ink)
