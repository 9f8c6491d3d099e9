"""The same face through every shipped checkpoint, in one row."""

import streamlit as st

from fervt.errors import FervtError
from fervt.evaluation.certainty import say_prediction
from fervt.predict import Prediction, Predictor, to_face
from fervt.ui.address import put
from fervt.ui.bars import show_bars
from fervt.ui.certainty import threshold_of
from fervt.ui.checkpoints import PARAMETER, load_shipped, shipped_names
from fervt.ui.images import Picture
from fervt.ui.remembered import remember
from fervt.ui.text import as_text

_SHOWN = 3  # bars


def show_checkpoints(predictor: Predictor, picture: Picture, face: Prediction) -> None:
    """Draws a card per checkpoint; a click on one selects it for all pages."""
    names = shipped_names()
    if len(names) < 2:
        return
    st.markdown("**The same face, read by each checkpoint**")
    with st.grid(min(4, len(names)), min_column_width=150, gap="small"):
        for name in names:
            with st.container(border=True, gap="xsmall", key=f"read_by_{name}"):
                try:
                    _show_one(load_shipped(name), picture, face, name == predictor.name)
                except FervtError as error:  # the others can still be shown
                    st.caption(as_text(error))


def _show_one(other: Predictor, picture: Picture, face: Prediction, current: bool) -> None:
    reading = remember(
        other,
        picture.key,
        (face.box_xyxy_px, face.angle_deg, "reading"),
        lambda: other.classify(to_face(face.crop)[None])[0],
    )
    classes = other.classes.classes
    st.caption(f"**{other.name}**" + (" (in use)" if current else ""))
    st.markdown(f"**{say_prediction(reading.probabilities, classes, threshold_of(other.sha256))}**")
    show_bars(reading.probabilities, classes, _SHOWN)
    if not current:
        st.button(
            "Use it",
            key=f"use_{other.name}",
            type="tertiary",
            on_click=put,
            args=(PARAMETER, other.name),
        )
