"""Predict: the apparent expression of each face in a photo, or of many photos in a table."""

import streamlit as st

from fervt.ui.answers import predict_faces, show_downloads, summarize
from fervt.ui.choices import pick_one
from fervt.ui.face_choice import offer_whole, pick_whole, show_photo, whole_image_wanted
from fervt.ui.images import own_pictures, pick_image
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page
from fervt.ui.predict.batch import show_batch
from fervt.ui.predict.cards import show_cards
from fervt.ui.predict.checkpoints import show_checkpoints
from fervt.ui.predict.dataset_row import show_test_faces

WAYS = {"look": "One photo", "many": "Many photos"}

predictor = open_page("Predict", "The apparent expression of each face in a photo.")


def show_picture() -> None:
    """Draws one image, and a card for each of its faces."""
    picture = pick_image(
        lambda one: summarize(predictor, predict_faces(predictor, one)),
        default="group",
        inline=True,
    )
    if picture is None:
        return
    faces = predict_faces(predictor, picture, whole_image_wanted())
    photo_column, cards_column = st.columns([5, 6], gap="medium")
    with photo_column:
        show_photo(predictor, picture, faces)
        if not faces:
            offer_whole()
    if not faces:
        return
    own = own_pictures()
    answers = [
        (one, faces if one is picture else predict_faces(predictor, one))
        for one in (own if picture in own else [picture])
    ]
    with cards_column:  # on a phone the answer comes right below the photo
        face = show_cards(predictor, picture, faces)
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.popover("Download", icon=":material/download:"):
                show_downloads(predictor, answers)
            pick_whole()
    show_checkpoints(predictor, picture, face)
    show_test_faces()


if pick_one("Way", "way", WAYS, "look", label_visibility="collapsed") == "many":
    show_batch(predictor)
else:
    show_picture()
show_notice()
