"""Widgets whose value is kept in the address: read from it, written back when it changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from fervt.ui.address import PAGES, put, wanted

_ENDS: dict[str, tuple[str, ...]] = {
    "split": ("row", "slice"),
    "truth": ("row", "slice"),
    "copies": ("row", "slice"),
    "source": ("row", "slice"),
    "tta": ("slice",),
    "checkpoint": ("slice",),
    "slice_by": ("slice",),
}
"""Choices whose change takes away what others name."""


def store(name: str, widget: str, default: str) -> None:
    """Writes a widget's value into the address; the default is left out."""
    value = st.session_state[widget]
    put_choice(name, None if value is None or value == default else str(value))


def put_choice(name: str, value: str | None) -> None:
    """Sets a choice in the address, and drops what it makes meaningless; for use in callbacks."""
    put(name, value)
    for page in (*PAGES, *_ENDS.get(name, ())):  # other faces are listed from the first page again
        put(page, None)


def pick_one(
    title: str,
    name: str,
    options: Mapping[str, str] | Sequence[str],
    default: str,
    *,
    draw: Callable[..., Any] = st.segmented_control,
    **settings: Any,
) -> str:
    """Draws a choice of one; returns the chosen option.

    Args:
        title: Above the choice.
        name: The address's parameter.
        options: Titles by option, or options that are their own titles.
        default: What is chosen if the address names nothing.
        draw: The widget.
        **settings: Other arguments of the widget.
    """
    titles = options if isinstance(options, Mapping) else dict(zip(options, options, strict=True))
    widget = f"choice_{name}"
    st.session_state[widget] = chosen = wanted(name, list(titles), default, f"'{titles[default]}'")
    if draw is st.segmented_control:
        settings |= {"required": True}
    draw(
        title,
        list(titles),
        key=widget,
        format_func=titles.__getitem__,
        on_change=store,
        args=(name, widget, default),
        **settings,
    )
    return chosen


def pick_flag(title: str, name: str, default: bool = False, **settings: Any) -> bool:
    """Draws a toggle; in the address it is 1 or 0."""
    widget = f"choice_{name}"
    value = wanted(name, ("0", "1"), str(int(default)), "'on'" if default else "'off'") == "1"
    st.session_state[widget] = value
    st.toggle(title, key=widget, on_change=_store_flag, args=(name, widget, default), **settings)
    return value


def _store_flag(name: str, widget: str, default: bool) -> None:
    value = bool(st.session_state[widget])
    put_choice(name, None if value == default else str(int(value)))
