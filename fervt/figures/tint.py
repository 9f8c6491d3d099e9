"""The colors of maps on a face, as CSS and as Plotly's scales: those of `draw.draw_overlay`."""

import numpy as np

from fervt.draw import LESS_RGB, MAP_OPACITY, MORE_RGB
from fervt.figures.grid import Values

Scale = list[tuple[float, str]]


def _rgba(rgb: tuple[int, int, int], opacity: float) -> str:
    return "rgba({}, {}, {}, {:.3f})".format(*rgb, opacity)


_UP: Scale = [(0.5, _rgba(MORE_RGB, 0)), (1.0, _rgba(MORE_RGB, 1))]
_DOWN: Scale = [(0.0, _rgba(LESS_RGB, 1)), (0.5, _rgba(LESS_RGB, 0))]


def map_scale(signed: bool) -> Scale:
    """From clear to full color; if signed, from that of evidence against, clear in the middle."""
    return [*_DOWN, *_UP] if signed else [(2 * at - 1, color) for at, color in _UP]


def tint_cells(values: Values, neutral: float, floor: float, signed: bool) -> list[str]:
    """CSS colors of a map's 49 cells, row by row.

    Args:
        values: (7, 7).
        neutral: The value of an average or indifferent cell, which stays clear.
        floor: The smallest distance from neutral that gets the full color, so that even maps look
            even.
        signed: Whether values below neutral are evidence against; they stay clear where not.
    """
    away = np.nan_to_num(np.asarray(values, float).ravel() - neutral)
    if not signed:
        away = away.clip(0, None)
    shares = away / max(float(np.abs(away).max()), floor)
    return [_rgba(MORE_RGB if s > 0 else LESS_RGB, MAP_OPACITY * abs(s)) for s in shares]
