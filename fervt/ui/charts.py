"""Charts on all pages: in the page's text color, without a toolbar, with a text alternative."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from fervt.figures.ink import write_in
from fervt.ui.glossary import term_help

_CONFIG = {"displayModeBar": False}


def ink() -> str:
    """The text color of the current theme, for all text in figures."""
    return "#E7E8F3" if st.context.theme.type == "dark" else "#1E2033"


def show_chart(
    figure: go.Figure, key: str, alt: str, scroll_zoom: bool = False, **settings: Any
) -> None:
    """Draws a figure.

    Args:
        figure: The figure.
        key: Unique on the page.
        alt: What it shows, for screen readers.
        scroll_zoom: Whether the mouse wheel zooms.
        **settings: Other arguments of `st.plotly_chart`, such as what a click does.
    """
    config = {**_CONFIG, "scrollZoom": scroll_zoom}
    st.plotly_chart(write_in(figure, ink()), key=key, config=config, alt=alt, **settings)


def say(title: str, meaning: str, term: str | None = None) -> None:
    """Draws a panel's title and a plain sentence on what it shows.

    Args:
        title: A word or two.
        meaning: A sentence.
        term: A glossary term, explained on hover.
    """
    st.markdown(f"**{title}**", help=None if term is None else term_help(term))
    st.caption(meaning)
