"""Explain: what the model looked at, on one grid, and whether to believe it."""

import time

import streamlit as st

from fervt.ui.explain.downloads import show_download
from fervt.ui.explain.evidence import show_evidence
from fervt.ui.explain.faithfulness import show_faithfulness
from fervt.ui.explain.numbers import show_numbers
from fervt.ui.explain.pipeline import show_pipeline
from fervt.ui.explain.selection import open_view
from fervt.ui.explain.tokens import show_tokens
from fervt.ui.explain.what_if import show_what_if
from fervt.ui.face_choice import pick_face
from fervt.ui.images import pick_image
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page

SECTIONS = {
    "Evidence": show_evidence,
    "Pipeline": show_pipeline,
    "Tokens": show_tokens,
    "Is it faithful?": show_faithfulness,
    "What if": show_what_if,
    "Numbers": show_numbers,
    "Download": show_download,
}

predictor = open_page(
    "Explain", "What the model looked at, on one 7 × 7 grid, and whether to believe it."
)
picture = pick_image()
if picture is not None:
    image_column, answer_column = st.columns([1, 2], gap="large")
    with image_column:
        face = pick_face(predictor, picture)
    if face is not None:
        with answer_column:
            view = open_view(predictor, picture, face)
        started = time.perf_counter()
        tabs = st.tabs(list(SECTIONS), key="view", bind="query-params")
        for tab, show in zip(tabs, SECTIONS.values(), strict=True):
            if tab.open:
                with tab:
                    show(view)
        drawn_ms = 1000 * (time.perf_counter() - started)
        st.caption(
            f":material/timer: {predictor.name}: evidence of all panels in "
            f"{view.compute_ms:.0f} ms, this panel drawn in {drawn_ms:.0f} ms."
        )
show_notice()
