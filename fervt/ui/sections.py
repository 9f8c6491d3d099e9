"""A page's sections as tabs; the address names the open one."""

from collections.abc import Sequence

import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from fervt.ui.address import bound, put, read

VIEW = "view"
_FORMER = {"Holds up to": "Robustness", "Hold up to": "Robustness"}
"""Sections by the names that older links have for them."""


def draw_tabs(titles: Sequence[str]) -> Sequence[TabContainer]:
    """Draws the tabs; each is `open` or not.

    Args:
        titles: Of the sections, the default first.
    """
    former = _FORMER.get(read(VIEW) or "")
    if former in titles:
        put(VIEW, former)
        st.rerun()  # Streamlit reads the tabs' own parameter before this run began
    bound(VIEW, titles, titles[0])
    return st.tabs(list(titles), key=VIEW, bind="query-params")
