"""The values that fill the templates: figures, tables, faces and Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from fervt.figures.grid import encode_png

_templates = Environment(
    loader=PackageLoader("fervt.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Links and pictures would point outside a page that must be self-contained.
_markdown = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    .disable(["link", "image", "autolink", "reference"])
)


@dataclass(frozen=True)
class Table:
    """Cells as text, one head per column; `code` sets the second column in a monospaced font.

    On a phone, a row of more than three columns becomes a list: each cell beside its head.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    code: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Chart:
    """A figure that Plotly draws, and what it shows, for screen readers."""

    figure: go.Figure
    alt: str
    kind: str = "chart"

    @property
    def html(self) -> Markup:
        """The figure's element; the page has the library."""
        return chart_html(self.figure)


@dataclass(frozen=True)
class Row:
    """Small charts side by side; one below the other on a phone and on paper."""

    charts: Sequence[Chart]
    kind: str = "row"


@dataclass(frozen=True)
class Still:
    """A picture or small chart as HTML that needs no script."""

    html: Markup
    kind: str = "still"


@dataclass(frozen=True)
class Faces:
    """Pictures as data URLs, each with its caption."""

    faces: Sequence[tuple[str, str]]
    kind: str = "faces"


@dataclass(frozen=True)
class Prose:
    """Markdown."""

    text: str
    kind: str = "prose"

    @property
    def html(self) -> Markup:
        """The text as HTML."""
        return markdown_html(self.text)


@dataclass(frozen=True)
class Note:
    """A line in a muted color."""

    text: str
    kind: str = "note"


Block: TypeAlias = Table | Chart | Row | Still | Faces | Prose | Note


@dataclass(frozen=True)
class Section:
    """A heading, a line below it, and what it shows."""

    heading: str
    note: str
    blocks: Sequence[Block]


def render(template: str, **values: object) -> str:
    """Fills a template of `templates/`; a value that it lacks is an error."""
    page = _templates.get_template(template)
    return page.render(plotly_js=lambda: Markup(get_plotlyjs()), **values)


def markdown_html(text: str) -> Markup:
    """Markdown as HTML, in which HTML, links and pictures stay text."""
    return Markup(_markdown.render(text))


def chart_html(figure: go.Figure) -> Markup:
    """A figure's element on a transparent background, without the library."""
    figure.update_layout(
        template="plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        width=None,
    )
    inner = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        default_width="100%",
        config={"displayModeBar": False, "responsive": True},
    )
    return Markup(inner)


def face_address(face: NDArray[np.uint8], edge_px: int) -> str:
    """A face (h, w) enlarged to a square, as the data URL of a PNG."""
    large = cv2.resize(face, (edge_px, edge_px), interpolation=cv2.INTER_CUBIC)
    return encode_png(np.repeat(large[:, :, None], 3, axis=2).astype(np.uint8))
