"""Predict: the apparent expression of each face, beside exactly what the model saw of it."""

import streamlit as st

from fervt.ui.answers import answers_as_csv, answers_as_json, predict_faces, summarise
from fervt.ui.faces import pick_face, whole_image_wanted
from fervt.ui.images import own_pictures, pick_image
from fervt.ui.navigation import link_to
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page
from fervt.ui.panels import show_crop_and_input, show_probabilities

predictor = open_page("Predict", "The apparent expression of each face in a photo.")
picture = pick_image(lambda one: summarise(predict_faces(predictor, one)))
if picture is not None:
    image_column, answer_column = st.columns([2, 3], gap="large")
    with image_column:
        face = pick_face(predictor, picture)
    if face is not None:
        with answer_column:
            show_probabilities(face)
            show_crop_and_input(face)
            st.caption(
                f"{predictor.name} on {predictor.device.type.upper()}: "
                f"{face.latency_ms:.0f} ms for this face"
            )
            link_to("explain", "Explain this prediction")

    shown = own_pictures() or [picture]
    if picture not in shown:
        shown = [picture]
    whole = whole_image_wanted()
    answers = [(one, predict_faces(predictor, one, whole and one is picture)) for one in shown]
    with st.container(horizontal=True):
        st.download_button("Results as CSV", answers_as_csv(answers), "expressions.csv", "text/csv")
        st.download_button(
            "Results as JSON",
            answers_as_json(predictor, answers),
            "expressions.json",
            "application/json",
        )
show_notice()
