"""JavaScript of the pages, kept in its own files in `scripts/`."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).with_name("scripts")


def run_script(name: str, given: Mapping[str, object] | None = None, before: str = "") -> None:
    """Runs a script in the page.

    Args:
        name: The file's, without its extension.
        given: What the script gets as `given`.
        before: HTML that is drawn in the same place.
    """
    values = json.dumps(dict(given or {}))
    st.html(
        f"{before}<script>((given) => {{\n{_read(name)}\n}})({values});</script>",
        unsafe_allow_javascript=True,
    )


@cache
def _read(name: str) -> str:
    return (_FOLDER / f"{name}.js").read_text(encoding="utf-8")
