"""Pieces of the pages that Streamlit has no widget for; their JavaScript and CSS are files.

Each draws itself from `data` and reports clicks as a trigger, so that the page responds at
once in the browser while the server follows.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).with_name("components")


def mount(
    name: str,
    key: str,
    data: Mapping[str, Any],
    on_click: Callable[[Any], None] | None = None,
) -> None:
    """Draws a component.

    Args:
        name: Of its files.
        key: Unique in the page.
        data: What it shows, as plain values.
        on_click: Called with what was clicked, before the page is drawn again.
    """
    # A definition that already exists is kept.
    draw = st.components.v2.component(
        f"fervt_{name}", html="<div class='root'></div>", css=_read(f"{name}.css"), js=_script(name)
    )

    def take() -> None:
        value = st.session_state[key].get("clicked")
        if value is not None and on_click is not None:
            on_click(value)

    draw(key=key, data=dict(data), on_clicked_change=take)


def _script(name: str) -> str:
    return _read(f"{name}.js")


@cache
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
