"""Curves of an evaluation: thresholds, calibration, abstaining, and the epochs of training."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.figures.grid import PERCENT_TICKS, RIGHT_PX, Values
from fervt.labels import expression

_HEIGHT_PX = 380
_MOST_POINTS = 400
_EVEN = "#8A8A99"
_ACCENT = "#5457CD"
_KEPT = {"color": _EVEN, "dash": "dot"}  # the line at the epoch that was kept
# Okabe and Ito's colors with different dashes: distinguishable without color, too.
STYLES = (
    ("#0072B2", "solid"),
    ("#D55E00", "dash"),
    ("#009E73", "dot"),
    ("#CC79A7", "dashdot"),
    ("#8A8A99", "longdash"),
)
"""Color and dash of each compared model, and of people."""
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash")


def threshold_figure(
    curves: Mapping[str, tuple[Values, Values, float] | None],
    x_title: str,
    y_title: str,
    *,
    diagonal: bool,
) -> go.Figure:
    """Draws one curve per class, with its area in the legend.

    Args:
        curves: x (P,), y (P,) and area by class label; None if a class has none.
        x_title: Of the axis.
        y_title: Of the axis.
        diagonal: Whether chance is the diagonal, as in a ROC.
    """
    figure = go.Figure()
    if diagonal:
        _add_diagonal(figure)
    for (label, curve), dash in zip(curves.items(), _DASHES, strict=False):
        if curve is None:
            continue
        x, y = _thin(*curve[:2])
        shown = expression(label)
        figure.add_scatter(
            x=x,
            y=y,
            name=f"{shown.name} {curve[2]:.2f}",
            mode="lines",
            line={"color": shown.color, "dash": dash, "width": 2},
            hovertemplate=f"{shown.name}<br>{x_title} %{{x:.0%}}<br>{y_title} %{{y:.0%}}"
            "<extra></extra>",
        )
    return _unit_square(figure, x_title, y_title)


def reliability_figure(
    bins: Mapping[str, tuple[Values, Values, NDArray[np.integer]]],
) -> go.Figure:
    """Draws accuracy against confidence; the closer to the diagonal, the better calibrated.

    Args:
        bins: Mean confidence (P,), accuracy (P,) and rows (P,) of the bins by name; NaN where a
            bin is empty.
    """
    figure = go.Figure()
    _add_diagonal(figure)
    for (name, (confidence, accuracy, count)), (color, dash) in zip(
        bins.items(), STYLES, strict=False
    ):
        filled = count > 0
        figure.add_scatter(
            x=confidence[filled],
            y=accuracy[filled],
            customdata=count[filled],
            name=name,
            mode="lines+markers",
            line={"color": color, "dash": dash, "width": 2},
            marker={"size": 5 + 16 * np.sqrt(count[filled] / count.sum())},
            hovertemplate="said %{x:.0%}, right %{y:.0%}<br>%{customdata:,} faces<extra></extra>",
        )
    return _unit_square(figure, "confidence", "share of right answers")


def risk_figure(
    curves: Mapping[str, tuple[Values, Values]], chosen: tuple[float, float] | None = None
) -> go.Figure:
    """Draws the share of wrong answers against the share of faces that are answered.

    Args:
        curves: Coverage (P,) and risk (P,) by name.
        chosen: A point to mark, coverage and risk.
    """
    figure = go.Figure()
    for (name, curve), (color, dash) in zip(curves.items(), STYLES, strict=False):
        coverage, risk = _thin(*curve)
        figure.add_scatter(
            x=coverage,
            y=risk,
            name=name,
            mode="lines",
            line={"color": color, "dash": dash, "width": 2.5},
            hovertemplate="answers %{x:.0%}, wrong in %{y:.1%} of them<extra></extra>",
        )
    if chosen is not None:
        figure.add_scatter(
            x=[chosen[0]],
            y=[chosen[1]],
            mode="markers",
            name="chosen threshold",
            marker={"size": 13, "color": _ACCENT, "line": {"width": 2, "color": "#FFFFFF"}},
            hoverinfo="skip",
        )
    figure.update_layout(showlegend=len(curves) > 1)
    _plain(figure, "faces answered", "wrong answers among them")
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(rangemode="tozero", tickformat=".0%")
    return figure


def training_figures(
    history: Sequence[Mapping[str, float]], best_epoch: int | None
) -> dict[str, go.Figure]:
    """Draws loss, accuracy and learning rate by epoch, one figure each, by title.

    Args:
        history: A checkpoint's, one mapping an epoch.
        best_epoch: Which epoch was kept; None if that is not known.
    """
    both = (("train", "Training"), ("public", "PublicTest"))
    figures = {
        "Loss": _by_epoch(history, {name: f"{part}_loss" for part, name in both}, ".3f"),
        "Accuracy": _by_epoch(history, {name: f"{part}_accuracy" for part, name in both}, ".1%"),
        "Learning rate": _by_epoch(history, {"learning rate": "learning_rate"}, ".2g"),
    }
    figures["Accuracy"].update_yaxes(**PERCENT_TICKS)
    figures["Learning rate"].update_traces(line={"color": STYLES[2][0]}, showlegend=False)
    for title, figure in figures.items():
        if best_epoch is not None and title != "Learning rate":
            figure.add_vline(x=best_epoch, line=_KEPT)
        # The legend is above the axes, and all leave the same room for it, so they line up.
        figure.update_layout(
            title=title,
            height=300,
            margin={"l": 0, "r": RIGHT_PX, "t": 64, "b": 6},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        )
    return figures


def _by_epoch(
    history: Sequence[Mapping[str, float]], keys: Mapping[str, str], form: str
) -> go.Figure:
    """One line per name, of the history's values under its key."""
    figure = go.Figure()
    for (name, key), (color, dash) in zip(keys.items(), STYLES, strict=False):
        figure.add_scatter(
            x=[entry["epoch"] for entry in history],
            y=[entry.get(key) for entry in history],
            name=name,
            legendgroup=name,
            mode="lines",
            line={"color": color, "dash": dash, "width": 2},
            hovertemplate=f"%{{y:{form}}}",
        )
    return _with_epochs(figure)


def _with_epochs(figure: go.Figure) -> go.Figure:
    figure.update_layout(hovermode="x unified", dragmode=False)
    figure.update_xaxes(title="epoch", fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure


def _thin(x: Values, y: Values) -> tuple[Values, Values]:
    """At most 400 of the points, including both ends: more can't be seen."""
    if len(x) <= _MOST_POINTS:
        return x, y
    kept = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).astype(int))
    return x[kept], y[kept]


def _add_diagonal(figure: go.Figure) -> None:
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": _EVEN, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )


def _unit_square(figure: go.Figure, x_title: str, y_title: str) -> go.Figure:
    _plain(figure, x_title, y_title)
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.01], tickformat=".0%")
    return figure


def _plain(figure: go.Figure, x_title: str, y_title: str) -> None:
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 0, "r": RIGHT_PX, "t": 10, "b": 6},
        legend={"orientation": "h", "y": -0.22},
        dragmode=False,
        hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(title=x_title, fixedrange=True)
    figure.update_yaxes(title=y_title, fixedrange=True)
