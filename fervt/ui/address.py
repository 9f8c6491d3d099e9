"""The page's address, which reproduces the view: the only module that reads and writes it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from fervt.labels import is_same_expression
from fervt.ui.dead_links import NOUNS, say_unknown

PAGES = ("page", "fixed_page", "broken_page", "people_page")
"""Of the galleries of faces."""

OFF_OR_ON = ("false", "true"), "false"
"""What `bound` takes for a toggle that is off at first."""

_MOST_DIGITS = 9  # Python refuses thousands


def read(name: str) -> str | None:
    """The value of a parameter in the address, None if it is missing.

    Raises:
        KeyError: The parameter is not declared in `dead_links.NOUNS`.
    """
    if name not in NOUNS:
        raise KeyError(name)
    return st.query_params.get(name)


def wanted(name: str, options: Sequence[str], default: str, shown: str | None = None) -> str:
    """The choice in the address; the default if it is not one of the options, which is said.

    Args:
        name: The parameter.
        options: What it may be.
        default: What it is if the address names nothing that is here.
        shown: The default in words; its own by default.
    """
    value = read(name)
    if not value:
        return default
    for option in options:
        if value == option or is_same_expression(value, option):  # in the other vocabulary's words
            return option
    say_unknown(name, value, f"'{default}'" if shown is None else shown)
    return default


def whole_number(name: str, options: Sequence[int], default: int, shown: str | None = None) -> int:
    """The same for numbers, 0 or more."""
    text = read(name)
    number = int(text) if text and text.isdecimal() and len(text) <= _MOST_DIGITS else None
    if number is not None and number in options:
        return number
    if text:
        say_unknown(name, text, f"'{default}'" if shown is None else shown)
    return default


def bound(name: str, options: Sequence[str], default: str) -> str:
    """The key of a widget that Streamlit itself keeps in the address, after the same check.

    Args:
        name: The parameter.
        options: What the widget shows, as the address has it.
        default: What it shows at first.
    """
    wanted(name, options, default)
    return name


def put(name: str, value: str | None) -> None:
    """Sets a parameter of the address, or removes it; for use in callbacks."""
    if value is None:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def put_together(values: Mapping[str, str]) -> None:
    """Sets several parameters at once: one step in the browser's history."""
    st.query_params.update(values)
