"""Correcting labels on the page, if the program was started with a file for it."""

import os
from pathlib import Path

import streamlit as st

from fervt.errors import FervtError
from fervt.evaluation.corrections import (
    VERDICTS,
    Corrections,
    Verdict,
    corrected,
    describe_reading,
)
from fervt.evaluation.rows import Rows
from fervt.labels import FERPLUS, expression
from fervt.ui.downloads import offer_file
from fervt.ui.text import as_text

VARIABLE = "FERVT_ANNOTATIONS"
_NO_READING = "none"
_TITLES: dict[Verdict, str] = {
    "wrong": "The label is wrong",
    "doubtful": "The label is doubtful",
    "fine": "Take it back",
}
_PROBLEM = "correction_problem"


def open_corrections() -> Corrections | None:
    """The corrections file that the program was started with, if any."""
    path = os.environ.get(VARIABLE)
    if not path:
        return None
    try:
        return _open(path)
    except FervtError as error:
        st.warning(as_text(error), icon=":material/edit_off:")
        return None


@st.cache_resource(show_spinner=False)
def _open(path: str) -> Corrections:
    return Corrections.open(Path(path))


def correct_rows(rows: Rows) -> tuple[Rows, int]:
    """Rows with the file's corrections, and how many rows it has a verdict on."""
    store = open_corrections()
    try:
        return (rows, 0) if store is None else corrected(rows, store.latest())
    except FervtError as error:
        st.warning(as_text(error), icon=":material/edit_off:")
        return rows, 0


def draw_correction(image_sha256: str) -> None:
    """Draws the verdict on a face's label, and the choice of another."""
    store = open_corrections()
    if store is None:
        return
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(as_text(problem))
    try:
        latest = store.latest()
    except FervtError as error:
        st.warning(as_text(error), icon=":material/edit_off:")
        return
    entry = latest.get(image_sha256)
    if entry is not None:
        st.caption(
            f"Marked as {entry.verdict}, {describe_reading(entry.reading)}, {entry.at[:16]} UTC."
        )
    key = f"reading_{image_sha256[:16]}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Your reading",
            (_NO_READING, *FERPLUS.classes),
            key=key,
            format_func=lambda name: "None" if name == _NO_READING else expression(name).name,
        )
        for verdict in VERDICTS:
            if verdict == "fine" and entry is None:
                continue
            st.button(
                _TITLES[verdict],
                key=f"correct_{verdict}_{image_sha256[:16]}",
                on_click=_add,
                args=(store, image_sha256, verdict, key),
            )
    if latest:
        offer_file(
            f"All corrections, {len(latest):,} faces (.csv)",
            store.to_csv,
            "corrections.csv",
            "text/csv",
        )


def _add(store: Corrections, image_sha256: str, verdict: Verdict, key: str) -> None:
    reading = st.session_state.get(key, _NO_READING)
    kept = None if reading == _NO_READING or verdict == "fine" else reading
    try:
        store.add(image_sha256, verdict, kept)
    except FervtError as error:
        st.session_state[_PROBLEM] = str(error)
