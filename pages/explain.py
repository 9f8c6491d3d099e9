"""Explain: one measured sentence on why, four maps on one grid, and everything below them."""

import time

import streamlit as st

from fervt.ui.answers import predict_faces
from fervt.ui.explain.answer import show_answer
from fervt.ui.explain.board import show_board
from fervt.ui.explain.downloads import show_download
from fervt.ui.explain.evidence import show_evidence
from fervt.ui.explain.faithfulness import show_faithfulness
from fervt.ui.explain.numbers import show_numbers
from fervt.ui.explain.pipeline import show_pipeline
from fervt.ui.explain.selection import open_view, pick_depths
from fervt.ui.explain.tokens import show_tokens
from fervt.ui.explain.what_if import show_what_if
from fervt.ui.face_choice import choose_face, whole_image_wanted
from fervt.ui.images import pick_image
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page
from fervt.ui.same_map import offer_following
from fervt.ui.sections import draw_tabs

SECTIONS = {
    "Evidence": show_evidence,
    "Pipeline": show_pipeline,
    "Tokens": show_tokens,
    "Is it faithful?": show_faithfulness,
    "What if": show_what_if,
    "Numbers": show_numbers,
    "Download": show_download,
}

predictor = open_page("Explain", "Why the model sees this expression in this face.")
picture = pick_image(default="astronaut")
face = None if picture is None else choose_face(predictor, picture)
if picture is not None and face is not None:
    view = open_view(predictor, picture, face)
    show_answer(view, len(predict_faces(predictor, picture, whole_image_wanted())))
    show_board(view)
    offer_following(predictor)
    if pick_depths():
        started = time.perf_counter()
        tabs = draw_tabs(list(SECTIONS))
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
