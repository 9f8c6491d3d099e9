"""Pictures to click on: the button below a picture takes clicks on all of its card."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

# The button's click area is stretched over its card (keys make the class names), because
# Streamlit's pictures cannot be clicked.
_STYLE = """<style>
[class*="st-key-card_"] { position: relative; }
[class*="st-key-card_"] * { position: static; }
[class*="st-key-card_"] button::after {
  content: ""; position: absolute; inset: 0; cursor: pointer; }
[class*="st-key-card_"]:hover img { opacity: .85; }
</style>"""


def draw_card_style() -> None:
    """Draws what makes the page's cards clickable; once a page, before its cards."""
    st.html(_STYLE)


def draw_card(
    key: str,
    picture: np.ndarray,
    label: str,
    on_click: Callable[..., None],
    args: tuple[Any, ...] = (),
    chosen: bool = False,
) -> None:
    """Draws a picture with a button below it; a click on either calls `on_click(*args)`.

    Args:
        key: Unique in the page.
        picture: (h, w, 3) uint8 RGB.
        label: What the button says.
        on_click: Runs before the page is drawn again.
        args: Its arguments.
        chosen: Whether this is the one that is shown at the moment.
    """
    with st.container(key=f"card_{key}", gap="xxsmall"):
        st.image(picture, width="stretch", alt="")
        st.button(
            label,
            key=f"card_button_{key}",
            type="primary" if chosen else "secondary",
            width="stretch",
            on_click=on_click,
            args=args,
        )
