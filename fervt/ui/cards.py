"""Cards to click on: the button or link in a card takes clicks on all of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

# The click area of a card's button or link covers the whole card (keys make the class names),
# because Streamlit's pictures and containers cannot be clicked.
_STYLE = """<style>
[class*="st-key-card_"] { position: relative; }
[class*="st-key-card_"] :is(
  [class*="st-key-press_"], [class*="st-key-press_"] *, :has([class*="st-key-press_"]), a, :has(a)
) { position: static; }
[class*="st-key-card_"] :is([class*="st-key-press_"] button, a)::after {
  content: ""; position: absolute; inset: 0; cursor: pointer; }
[class*="st-key-card_"] > [class*="st-key-press_"] { flex: 1; }
[class*="st-key-card_"] > [class*="st-key-press_"] :is(.stButton, button) { height: 100%; }
[class*="st-key-card_"] a { padding-left: 0; background: none; }
[class*="st-key-card_"]:hover { opacity: .85; }
</style>"""


def draw_card_style() -> None:
    """Draws the style that makes cards clickable; once per page, before its cards."""
    st.html(_STYLE)


def draw_card(
    key: str,
    picture: np.ndarray | bytes,
    label: str,
    on_click: Callable[..., None],
    args: tuple[Any, ...] = (),
    chosen: bool = False,
) -> None:
    """Draws a picture with a button below it; a click on either calls `on_click(*args)`.

    Args:
        key: Unique in the page.
        picture: (h, w, 3) uint8 RGB; or a file, which is not encoded again on each run.
        label: The button's text.
        on_click: Runs before the page is drawn again.
        args: Its arguments.
        chosen: Whether this is the one being shown.
    """
    with st.container(key=f"card_{key}", gap="xxsmall", height="stretch"):
        st.image(picture, width="stretch", alt=label)
        st.button(
            label,
            key=f"press_{key}",
            type="primary" if chosen else "secondary",
            width="stretch",
            on_click=on_click,
            args=args,
        )
