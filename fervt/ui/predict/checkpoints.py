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
_MOST_COLUMNS, _LEAST_PX = 4, 180  # a phone has one column, so that no card is left alone


def show_checkpoints(predictor: Predictor, picture: Picture, face: Prediction) -> None:
    """Draws a card per checkpoint; a click on one selects it for all pages."""
    names = shipped_names()
    if len(names) < 2:
        return
    st.markdown("**The same face, read by each checkpoint**")
    rows = -(-len(names) // _MOST_COLUMNS)
    with st.grid(-(-len(names) // rows), min_column_width=_LEAST_PX, gap="small"):
        for name in names:
            with st.container(border=True, gap="xsmall", height="stretch", key=f"read_by_{name}"):
                try:
                    other = load_shipped(name)
                    _show_one(other, picture, face, other is predictor)
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
    st.caption(f"**{other.name}**")
    st.markdown(f"**{say_prediction(reading.probabilities, classes, threshold_of(other.sha256))}**")
    show_bars(reading.probabilities, classes, _SHOWN)
    st.button(
        "In use" if current else "Use it",
        key=f"use_{other.name}",
        disabled=current,
        on_click=put,
        args=(PARAMETER, other.name),
    )
