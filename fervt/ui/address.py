"""The page's address, which reproduces the view: the only module that reads and writes it."""

from collections.abc import Mapping, Sequence

import streamlit as st

_MOST_DIGITS = 9  # Python refuses thousands


def read(name: str) -> str | None:
    """The value of a parameter in the address, None if it is missing."""
    return st.query_params.get(name)


def wanted(name: str, options: Sequence[str], default: str) -> str:
    """The choice in the address; the default if it is not one of the options."""
    value = st.query_params.get(name, default)
    return value if value in options else default


def whole_number(name: str, default: int = -1) -> int:
    """The number in the address, 0 or more; the default if there is none."""
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else default


def put(name: str, value: str | None) -> None:
    """Sets a parameter of the address, or removes it; for use in callbacks."""
    if value is None:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def put_together(values: Mapping[str, str]) -> None:
    """Sets several parameters at once: one step in the browser's history."""
    st.query_params.update(values)
