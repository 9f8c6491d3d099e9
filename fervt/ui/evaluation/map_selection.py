"""Faces selected in the embedding map: their figures, where the model looks, and themselves."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.evaluation.atlas import maps_of
from fervt.evaluation.groups import chosen_groups
from fervt.evaluation.words import describe_interval, describe_worst_mistake
from fervt.predict import Predictor
from fervt.ui.choices import pick_flag
from fervt.ui.evaluation.measured import drop_selection, evidence_of, positions_of
from fervt.ui.evaluation.selection import EvaluationView, percent
from fervt.ui.evaluation.slicing import offer_rows
from fervt.ui.evaluation.where_it_looks import pick_source, show_groups
from fervt.ui.gallery import show_gallery


def show_selection(view: EvaluationView, predictor: Predictor, selected: NDArray[np.bool_]) -> None:
    """Draws the selected faces of the view.

    Args:
        view: The view.
        predictor: The checkpoint in the sidebar.
        selected: (N,) which of the view's rows; one or more.
    """
    rows, others = view.rows.select(selected), view.rows.select(~selected)
    scores = rows.scores
    st.subheader(f"{len(rows):,} selected faces", anchor=False)
    with st.container(horizontal=True):
        st.metric(
            "Accuracy", percent(scores.accuracy), describe_interval(scores), delta_color="off",
            delta_arrow="off",
        )  # fmt: skip
        if len(others):
            st.metric("All other faces", percent(others.scores.accuracy))
        st.metric("Stated confidence", percent(float(rows.calibrated.max(axis=1).mean())))
    st.markdown(f"Most frequent mistake: {describe_worst_mistake(scores)}.")
    with st.container(horizontal=True, vertical_alignment="center"):
        offer_rows(view, selected, {}, "selection")
        st.button("Clear the selection", icon=":material/close:", on_click=drop_selection)
        with_maps = pick_flag("Where it looks", "maps", True)
    if with_maps:
        evidence = evidence_of(view, predictor)
        if evidence is not None:
            source = pick_source(evidence)
            maps = maps_of(evidence, source, positions_of(view))
            groups = chosen_groups(selected, "the selected faces")
            show_groups(view, evidence, source, maps, *groups)
    show_gallery(view, rows)
