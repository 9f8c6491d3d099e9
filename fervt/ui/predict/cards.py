"""A card for each face of a photo: the answer, how sure it is, and what mattered."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.draw import fit_for_screen, jpeg_bytes, png_bytes
from fervt.explain import seen_part
from fervt.explain.occlusion import occlude
from fervt.figures.grid import encode_picture
from fervt.predict import Prediction, Predictor, to_face
from fervt.ui.bars import show_bars
from fervt.ui.cards import draw_card, draw_card_style
from fervt.ui.certainty import explain_threshold, say
from fervt.ui.component import mount
from fervt.ui.explain.board import legend, plain_panel
from fervt.ui.face_choice import choose, chosen_index, whole_image_wanted
from fervt.ui.images import Picture
from fervt.ui.navigation import leave_for, link_parameters
from fervt.ui.remembered import remember

_MOST_CARDS = 24
_CUT_OUT, _MATTERED = "As it was cut out", "What mattered"


def show_cards(predictor: Predictor, picture: Picture, faces: Sequence[Prediction]) -> Prediction:
    """Draws the chosen face in full and the others small; returns the chosen one."""
    index = chosen_index(len(faces))
    crops = remember(
        predictor,
        picture.key,
        ("crops", whole_image_wanted()),
        lambda: [jpeg_bytes(fit_for_screen(face.crop)[0]) for face in faces[: _MOST_CARDS + 1]],
    )
    with st.container(border=True):
        _show_face(predictor, picture, faces[index], index + 1)
    others = [number for number in range(1, len(faces) + 1) if number != index + 1]
    if others:
        draw_card_style()
        with st.grid(min_column_width=104, gap="small"):
            for number in others[:_MOST_CARDS]:
                words = f"{number} {say(predictor, faces[number - 1])}"
                draw_card(f"face_{number}", crops[number - 1], words, choose, (number,))
    if len(others) > _MOST_CARDS:
        st.caption(f"{len(others) - _MOST_CARDS} more: click them in the photo.")
    return faces[index]


def _show_face(predictor: Predictor, picture: Picture, face: Prediction, number: int) -> None:
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        why_unsure = explain_threshold(predictor.name, predictor.sha256)
        with st.container(width="content"):
            st.header(say(predictor, face), anchor=False, help=why_unsure)
        st.button(
            "Why?",
            type="primary",
            icon=":material/visibility:",
            key="why",
            help="What decided, and where the model looked.",
            on_click=leave_for,
            args=("explain", link_parameters(image=picture.key, face=str(number))),
        )
    show_bars(face.probabilities, face.classes)
    side = face.model_input.shape[0]
    seen = f"{side} × {side} px, what the model saw"
    with st.grid(3, min_column_width=80, gap="small"):
        crop, model_input = remember(
            predictor,
            picture.key,
            (face.box_xyxy_px, face.angle_deg, "pictures"),
            lambda: (
                jpeg_bytes(fit_for_screen(face.crop)[0]),
                png_bytes(fit_for_screen(face.model_input)[0]),
            ),
        )
        st.image(crop, width="stretch", caption=_CUT_OUT, alt=_CUT_OUT)
        st.image(
            model_input,
            width="stretch",
            caption=seen,
            alt=seen,
            output_format="PNG",  # lossless: JPEG would soften its pixels
        )
        _show_mattered(predictor, picture, face)
    with st.expander("Details", icon=":material/info:"):
        left_px, top_px, right_px, bottom_px = face.box_xyxy_px
        st.caption(
            f"{predictor.name} took {face.latency_ms:.0f} ms for this face in "
            f"{predictor.engine.name}. Box: {left_px}, "
            f"{top_px} to {right_px}, {bottom_px} px, tilted by {face.angle_deg:.0f}°. "
            f"{why_unsure}"
        )


def _show_mattered(predictor: Predictor, picture: Picture, face: Prediction) -> None:
    drops = _hide_cells(predictor, picture, face)
    panel = plain_panel("occlusion", drops)
    panel["note"] = f"{_MATTERED} ({panel['note'].lower()})"
    crop = seen_part(face.crop, predictor.info.preprocess.crop)
    mount(
        "board",
        "mattered",
        {
            "face": encode_picture(crop, 240),
            "panels": [panel],
            "legend": legend("for it", "against"),
        },
    )


def _hide_cells(predictor: Predictor, picture: Picture, face: Prediction) -> NDArray[np.float32]:
    """(7, 7): how much the leading expression's probability falls without each cell."""

    def compute() -> NDArray[np.float32]:
        hidden = occlude(predictor, predictor.prepare(to_face(face.crop)[None]))
        return face.confidence - hidden[..., int(face.probabilities.argmax())]

    return remember(predictor, picture.key, (face.box_xyxy_px, face.angle_deg, "hidden"), compute)
