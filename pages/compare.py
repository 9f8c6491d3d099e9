"""Compare: which of several checkpoints is better, where, and at what cost."""

import streamlit as st

from fervt.errors import DataError
from fervt.ui.compare.cost import show_cost
from fervt.ui.compare.differences import show_calibration, show_classes, show_fixed_and_broken
from fervt.ui.compare.evidence import show_atlases, show_robustness
from fervt.ui.compare.face import show_one_face
from fervt.ui.compare.headline import show_figures, show_verdict
from fervt.ui.compare.selection import pick_comparison
from fervt.ui.dataset_faces import pick_face_book
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page
from fervt.ui.text import as_text

SECTIONS = {
    "Figures": lambda comparison, faces: show_figures(comparison),
    "Classes": lambda comparison, faces: show_classes(comparison),
    "Gains and losses": show_fixed_and_broken,
    "Confidence": lambda comparison, faces: show_calibration(comparison),
    "Where they look": lambda comparison, faces: show_atlases(comparison),
    "Hold up to": lambda comparison, faces: show_robustness(comparison),
    "Cost": lambda comparison, faces: show_cost(comparison),
    "One face": lambda comparison, faces: show_one_face(comparison, predictor),
}

predictor = open_page("Compare", "Which checkpoint is better, where, and at what cost.")
comparison = None
try:
    comparison = pick_comparison(predictor)
except DataError as error:
    st.error(f"{as_text(error)} Choose other labels or checkpoints.", icon=":material/join:")
if comparison is not None:
    show_verdict(comparison)
    faces = pick_face_book(comparison.evaluations[0].split)
    tabs = st.tabs(list(SECTIONS), key="view", bind="query-params")
    for tab, show in zip(tabs, SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                show(comparison, faces)
show_notice()
