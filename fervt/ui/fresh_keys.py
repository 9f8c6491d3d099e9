"""Keys of widgets that can be emptied: Streamlit's uploaders are, when they get a new key."""

import streamlit as st

_COUNTS = "fresh_keys"


def fresh_key(group: str, widget: str = "upload") -> str:
    """The key of a widget until its group is renewed."""
    count = st.session_state.setdefault(_COUNTS, {}).get(group, 0)
    return f"{group}_{widget}_{count}"


def renew_keys(group: str) -> None:
    """Empties a group's widgets; for use in callbacks, and before they are drawn."""
    counts = st.session_state.setdefault(_COUNTS, {})
    counts[group] = counts.get(group, 0) + 1
