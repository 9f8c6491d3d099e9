"""How good a visitor's own checkpoint is: from the visitor's evaluation, or how to get one."""

import streamlit as st

from fervt.evaluation.words import describe_interval
from fervt.predict import Predictor
from fervt.ui.navigation import link_parameters, link_to
from fervt.ui.own_checkpoint import find_twin
from fervt.ui.own_evaluation import find_own
from fervt.ui.text import as_text


def show_own_figures(predictor: Predictor) -> None:
    """Draws the figures of the session's evaluation; without one, what is missing and one step."""
    name, found, twin = as_text(predictor.name), find_own(predictor.sha256), find_twin(predictor)
    if found is not None:
        scores = found.metrics.standard
        st.markdown(
            f"In your evaluation, {name} is right on **{scores.accuracy:.1%}** of {scores.n:,} "
            f"faces of {as_text(found.split)} (95% interval {describe_interval(scores)}), "
            f"macro-F1 {scores.macro_f1:.3f}."
        )
        link_to("evaluation", "See all figures", link_parameters(source="data"))
    elif twin is not None:
        st.info(
            f"{name} is the same file as {as_text(twin)}, which ships with fervt: its card says "
            "how good it is."
        )
        link_to("model_card", f"See the card of {twin}", link_parameters(checkpoint=twin))
    else:
        st.info(
            f"{name} hasn't been evaluated yet: its accuracy, its strong and weak expressions, and "
            "whether its confidence can be believed aren't known.",
            icon=":material/analytics:",
        )
        link_to("evaluation", "Evaluate it on labeled faces", link_parameters(source="data"))
