"""Predict: the apparent expression of each face in a photo, or of many photos in a table."""

import streamlit as st

from fervt.ui.answers import predict_faces, show_downloads, summarize
from fervt.ui.choices import pick_one
from fervt.ui.face_choice import pick_face, whole_image_wanted
from fervt.ui.images import own_pictures, pick_image
from fervt.ui.navigation import link_to
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page
from fervt.ui.panels import show_crop_and_input, show_probabilities
from fervt.ui.predict.batch import show_batch

WAYS = {"look": "Look at faces", "many": "Many images to a table"}

predictor = open_page("Predict", "The apparent expression of each face in a photo.")


def show_picture() -> None:
    """Draws one image, its faces, and what the checkpoint says of one of them."""
    picture = pick_image(lambda one: summarize(predict_faces(predictor, one)))
    if picture is not None:
        seen_column, read_column = st.columns([4, 5], gap="large")
        with seen_column:
            face = pick_face(predictor, picture)
        if face is not None:
            own = own_pictures()
            answers = [
                (one, predict_faces(predictor, one, one is picture and whole_image_wanted()))
                for one in (own if picture in own else [picture])
            ]
            with read_column:
                show_probabilities(face)
                st.caption(f"{predictor.name} took {face.latency_ms:.0f} ms for this face.")
                with st.container(horizontal=True, vertical_alignment="center"):
                    show_downloads(predictor, answers)
                    link_to("explain", "Explain this prediction")
                show_crop_and_input(face)  # last: on a phone the answer comes right below the image


if pick_one("Way", "way", WAYS, "look", label_visibility="collapsed") == "many":
    show_batch(predictor)
else:
    show_picture()
show_notice()
