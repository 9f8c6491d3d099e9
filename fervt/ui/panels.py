"""Sections that several pages show."""

import streamlit as st

from fervt.draw import fit_for_screen
from fervt.figures.probabilities import plot_probabilities
from fervt.labels import expression
from fervt.predict import Prediction
from fervt.ui.charts import show_chart


def show_probabilities(prediction: Prediction) -> None:
    """Draws the leading expression in words and all of them as bars."""
    leading = expression(prediction.label)
    st.subheader(f"{leading.name}, {prediction.confidence:.0%}", anchor=False)
    figure = plot_probabilities(prediction.probabilities, prediction.classes)
    about = f"Probability of each expression; {leading.name} leads"
    show_chart(figure, "probabilities", about)


def show_crop_and_input(prediction: Prediction) -> None:
    """Draws the face as it was cut out, and beside it the exact input of the model."""
    side = prediction.model_input.shape[0]
    cut_out, seen = "As it was cut out", f"{side} × {side} px, what the model saw"
    left, right = st.columns(2, wrap=False)
    left.image(fit_for_screen(prediction.crop)[0], width="stretch", caption=cut_out, alt=cut_out)
    right.image(
        fit_for_screen(prediction.model_input)[0],
        width="stretch",
        caption=seen,
        alt=seen,
        output_format="PNG",  # exactly: JPEG would soften its pixels
    )
