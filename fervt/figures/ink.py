"""Text colors in figures: readable on top of cells, the page's own color elsewhere.

Contrast is that of WCAG 2.1 (https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio), from 1 to 21; small
text needs 4.5.
"""

import re
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.colors import hex_to_rgb

Scale = tuple[tuple[float, str], ...]  # from 0 to 1; colors as "rgb(r,g,b)" or "rgba(r,g,b,a)"

# One of the two reaches 4.5 on every color; the page's own dark ink would not on middle tints.
WHITE, BLACK = "#FFFFFF", "#000000"
_INKS = ("#1E2033", "#E7E8F3")  # of light and of dark pages
_LIGHT_PAGE, _DARK_PAGE = "#FFFFFF", "#13141F"


def contrast(one_rgb: ArrayLike, other_rgb: ArrayLike) -> float:
    """Contrast ratio of two colors (3,), 0..255."""
    low, high = sorted((_luminance(one_rgb), _luminance(other_rgb)))
    return (high + 0.05) / (low + 0.05)


def cell_color(scale: Scale, share: float, page: str) -> NDArray[np.float64]:
    """The color (3,), 0..255, that a heatmap's cell has on a page.

    Args:
        scale: The heatmap's.
        share: Where the cell's value is in its range, 0..1.
        page: The color behind it, as "#RRGGBB".
    """
    colors = np.array([_channels(color) for _, color in scale])
    *rgb, alpha = (np.interp(share, [at for at, _ in scale], channel) for channel in colors.T)
    return alpha * np.array(rgb) + (1 - alpha) * np.array(hex_to_rgb(page))


@lru_cache(maxsize=4096)  # each viewer of a matrix asks for the same cells
def text_on(scale: Scale, share: float, ink: str | None) -> str | None:
    """The color of text that reads best on a heatmap's cell.

    Args:
        scale: The heatmap's.
        share: Where the cell's value is in its range, 0..1.
        ink: The page's own text color, which tells what lies behind the cell; None if that is
            unknown.

    Returns:
        White or black. On an unknown page white, or None for the page's own: the better choice
        on whichever of light and dark pages is worse for it.
    """
    if ink is not None:
        cell = cell_color(scale, share, page_of(ink))
        return max((WHITE, BLACK), key=lambda color: contrast(hex_to_rgb(color), cell))
    cells = {own: cell_color(scale, share, page_of(own)) for own in _INKS}
    white = min(contrast(hex_to_rgb(WHITE), cell) for cell in cells.values())
    own = min(contrast(hex_to_rgb(own), cell) for own, cell in cells.items())
    return WHITE if white > own else None


def page_of(ink: str) -> str:
    """The page's color, "#RRGGBB", behind text of a color."""
    return _DARK_PAGE if _luminance(hex_to_rgb(ink)) > 0.5 else _LIGHT_PAGE


def write_in(figure: go.Figure, ink: str) -> go.Figure:
    """Gives all text on the page's background the page's ink, and returns the figure.

    Streamlit's template has a gray of 3.7:1 for light pages, and names it for each kind of text, so
    that a font for the whole figure alone changes little.
    """
    font = {"color": ink}
    figure.update_layout(font=font, legend_font=font, hoverlabel_font=font)
    axis = {"tickfont": font, "title_font": font}
    figure.update_xaxes(axis)
    figure.update_yaxes(axis)
    return figure


def _channels(color: str) -> tuple[float, ...]:
    channels = tuple(float(value) for value in re.findall(r"[\d.]+", color))
    return channels if len(channels) == 4 else (*channels, 1.0)


def _luminance(rgb: ArrayLike) -> float:
    shares = np.asarray(rgb, dtype=float) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
