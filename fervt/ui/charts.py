"""Charts as all pages draw them: in the page's own ink, without a toolbar, with words for them."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from fervt.figures.ink import write_in
from fervt.ui.glossary import term_help

_CONFIG = {"displayModeBar": False}


def ink() -> str:
    """The text's color in the present theme, for all that figures write."""
    return "#E7E8F3" if st.context.theme.type == "dark" else "#1E2033"


def show_chart(
    figure: go.Figure, key: str, alt: str, scroll_zoom: bool = False, **settings: Any
) -> None:
    """Draws a figure.

    Args:
        figure: What is drawn.
        key: Names it on the page.
        alt: What it shows, for those who cannot see it.
        scroll_zoom: The mouse's wheel zooms.
        **settings: More of `st.plotly_chart`, such as what a click does.
    """
    config = {**_CONFIG, "scrollZoom": scroll_zoom}
    st.plotly_chart(write_in(figure, ink()), key=key, config=config, alt=alt, **settings)


def say(title: str, meaning: str, term: str | None = None) -> None:
    """Draws a panel's title and what it shows, in a line of plain words.

    Args:
        title: A word or two.
        meaning: A sentence.
        term: Of the glossary, to explain on hover.
    """
    st.markdown(f"**{title}**", help=None if term is None else term_help(term))
    st.caption(meaning)
