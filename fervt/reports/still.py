"""Small charts as HTML and pictures without scripts: for files that are mailed and printed."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray
from plotly.colors import get_colorscale, sample_colorscale

from fervt.amounts import percent, signed
from fervt.figures.grid import DIVERGING, SEQUENTIAL, encode_png
from fervt.figures.ink import BLACK, WHITE, contrast
from fervt.labels import expression

_SIDE_PX = 392  # of a matrix as a picture: eight pixels for each of 49 cells
_FAINT = 0.55  # of the bars that do not lead
_RISES, _FALLS = "#B2182B", "#2166AC"


def probability_bars(probabilities: NDArray[np.floating], classes: Sequence[str]) -> Markup:
    """One horizontal bar per class, in the vocabulary's order and the expressions' colors.

    Args:
        probabilities: (C,), 0..1.
        classes: C labels of a vocabulary.
    """
    leading = int(probabilities.argmax())
    rows = []
    for at, (share, label) in enumerate(zip(probabilities, classes, strict=True)):
        one = expression(label)
        style = f"left:0;width:{100 * share:.1f}%;background:{one.color}"
        if at != leading:
            style += f";opacity:{_FAINT}"
        rows.append((one.name, style, percent(share)))
    return _bars(rows)


def effect_bars(names: Sequence[str], effects: NDArray[np.floating]) -> Markup:
    """Signed effects (K,) as bars about 0, with their values."""
    widest = max(0.05, float(np.abs(effects).max()))
    rows = []
    for name, value in zip(names, effects, strict=True):
        half = 50 * abs(float(value)) / widest
        start = 50 if value > 0 else 50 - half
        color = _RISES if value > 0 else _FALLS
        style = f"left:{start:.1f}%;width:{half:.1f}%;background:{color}"
        rows.append((name, style, signed(float(value), ".3f")))
    return _bars(rows)


def _bars(rows: Sequence[tuple[str, str, str]]) -> Markup:
    drawn = Markup("").join(
        Markup('<tr><th>{}</th><td class="track"><i style="{}"></i></td><td>{}</td></tr>').format(
            name, style, text
        )
        for name, style, text in rows
    )
    return Markup('<table class="bars">{}</table>').format(drawn)


def matrix_table(
    values: NDArray[np.floating],
    rows: Sequence[str],
    columns: Sequence[str],
    low: float,
    high: float,
) -> Markup:
    """A small matrix (R, K) with its values printed on their colors; NaN stays blank.

    Args:
        values: The matrix.
        rows: R names.
        columns: K names.
        low: The value of the first color; below 0, the scale has its middle at 0.
        high: The value of the last color.
    """
    scale = get_colorscale(SEQUENTIAL if low >= 0 else DIVERGING)
    head = Markup("").join(Markup("<th>{}</th>").format(name) for name in ("", *columns))
    body = Markup("")
    for name, line in zip(rows, values, strict=True):
        cells = Markup("").join(_cell(float(value), low, high, scale) for value in line)
        body += Markup("<tr><th>{}</th>{}</tr>").format(name, cells)
    return Markup('<table class="matrix"><tr>{}</tr>{}</table>').format(head, body)


def _cell(value: float, low: float, high: float, scale: list) -> Markup:
    if np.isnan(value):
        return Markup("<td>–</td>")
    rgb = _colors(np.array([(value - low) / (high - low)]), scale)[0]
    ink = max((WHITE, BLACK), key=lambda ink: contrast(_INKS[ink], rgb))
    color = "rgb({},{},{})".format(*(round(c) for c in rgb))
    return Markup('<td style="background:{};color:{}">{}</td>').format(color, ink, f"{value:.2f}")


_INKS = {WHITE: (255, 255, 255), BLACK: (0, 0, 0)}


def matrix_picture(values: NDArray[np.floating], low: float, high: float, alt: str) -> Markup:
    """A large matrix (R, K) as a picture, each value a square of one color.

    Args:
        values: The matrix.
        low: The value of the first color; below 0, the scale has its middle at 0.
        high: The value of the last color.
        alt: What it shows, in a sentence.
    """
    scale = get_colorscale(SEQUENTIAL if low >= 0 else DIVERGING)
    shares = (values.ravel() - low) / (high - low)
    colors = _colors(shares, scale).reshape(*values.shape, 3)
    times = max(1, _SIDE_PX // max(values.shape))
    picture = np.rint(colors).astype(np.uint8).repeat(times, axis=0).repeat(times, axis=1)
    source = encode_png(picture)
    return Markup('<img class="map" alt="{}" src="{}">').format(alt, source)


def key_html(
    low: float, high: float, unit: str, scale: Sequence[tuple[float, str]] | None = None
) -> Markup:
    """What colors mean: a strip from the lowest value to the highest.

    Args:
        low: The lowest value.
        high: The highest.
        unit: Of the values.
        scale: Colors by share of the way, 0..1; those of a matrix about 0 by default.
    """
    steps = [f"{color} {at:.0%}" for at, color in scale or get_colorscale(DIVERGING)]
    return Markup(
        '<div class="key"><span>{}</span><i style="background:linear-gradient(90deg,{})"></i>'
        "<span>{}</span><span>{}</span></div>"
    ).format(f"{low:.2g}", escape(",".join(steps)), f"{high:.2g}", unit)


def _colors(shares: NDArray[np.floating], scale: list) -> NDArray[np.float64]:
    """Colors (N, 3), 0..255, of shares (N,) that are clipped to 0..1."""
    clipped = np.clip(np.nan_to_num(shares, nan=0.5), 0, 1)
    found = sample_colorscale(scale, clipped.tolist(), colortype="tuple")
    return 255 * np.array(found, float)
