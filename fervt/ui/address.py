"""The page's address, which reproduces the view: the only module that reads and writes it."""

from collections.abc import Mapping, Sequence

import streamlit as st

_MOST_DIGITS = 9  # Python refuses thousands


def read(name: str) -> str | None:
    """What the address says of a parameter, None where it says nothing."""
    return st.query_params.get(name)


def wanted(name: str, options: Sequence[str], default: str) -> str:
    """What the address says of a choice; the default where that is no option."""
    value = st.query_params.get(name, default)
    return value if value in options else default


def whole_number(name: str, default: int = -1) -> int:
    """What the address says of a number from 0 on; the default where that is none."""
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
