"""Choices that live in the address: drawn from it, and written back when they change."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

_MOST_DIGITS = 9  # Python refuses thousands


def wanted(name: str, options: Sequence[str], default: str) -> str:
    """What the address says of a choice; the default where that is no option."""
    value = st.query_params.get(name, default)
    return value if value in options else default


def store(name: str, widget: str, default: str) -> None:
    """Writes a widget's value into the address, where the default stands for nothing."""
    value = st.session_state[widget]
    put(name, None if value is None or value == default else str(value))


def put(name: str, value: str | None) -> None:
    """Sets a parameter of the address, or removes it; for use in callbacks."""
    if value is None:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def whole_number(name: str, default: int = -1) -> int:
    """What the address says of a number from 0 on; the default where that is none."""
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else default


def pick_one(
    title: str,
    name: str,
    options: Mapping[str, str] | Sequence[str],
    default: str,
    *,
    draw: Callable[..., Any] = st.segmented_control,
    **settings: Any,
) -> str:
    """Draws a choice of one; gives the chosen option.

    Args:
        title: Above the choice.
        name: The address's parameter.
        options: Titles by option, or options that are their own titles.
        default: What is chosen where the address says nothing.
        draw: The widget.
        **settings: More of the widget's.
    """
    titles = options if isinstance(options, Mapping) else dict(zip(options, options, strict=True))
    widget = f"choice_{name}"
    st.session_state[widget] = wanted(name, list(titles), default)
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
    return wanted(name, list(titles), default)


def pick_flag(title: str, name: str, default: bool = False, **settings: Any) -> bool:
    """Draws a toggle; in the address it is 1 or 0."""
    widget = f"choice_{name}"
    value = wanted(name, ("0", "1"), str(int(default))) == "1"
    st.session_state[widget] = value
    st.toggle(title, key=widget, on_change=_store_flag, args=(name, widget, default), **settings)
    return value


def _store_flag(name: str, widget: str, default: bool) -> None:
    value = bool(st.session_state[widget])
    put(name, None if value == default else str(int(value)))
