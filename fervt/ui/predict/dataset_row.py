"""A face of each expression from the test split, if a prepared data file is at hand."""

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.errors import FervtError
from fervt.labels import FER2013, expression
from fervt.ui.address import put
from fervt.ui.cards import draw_card, draw_card_style
from fervt.ui.dataset_faces import find_faces
from fervt.ui.face_choice import WHOLE
from fervt.ui.images import add_picture, choose_picture

_SPLIT = "PrivateTest"


def show_test_faces() -> None:
    """Draws the row; nothing if there is no such file."""
    try:
        faces = find_faces(_SPLIT)
    except FervtError:  # said in the sidebar of the pages that need the file
        return
    if faces is None:
        return
    st.markdown("**Test faces, one labeled with each expression**")
    draw_card_style()
    with st.grid(min_column_width=84, gap="small"):
        for index, label in enumerate(FER2013.classes):
            rows = np.flatnonzero(faces.data.label_fer2013 == index)
            if not len(rows):
                continue
            at = int(rows[0])
            name = expression(label).name
            draw_card(
                f"test_{label}",
                faces.thumbnail(str(faces.data.sha256[at])),
                name,
                _take,
                (f"{_SPLIT}, labeled {name}.png", faces.data.images[at]),
            )


def _take(name: str, face: NDArray[np.uint8]) -> None:
    picture = add_picture(name, cv2.imencode(".png", face)[1].tobytes())
    choose_picture(picture.key)
    put(WHOLE, "1")
