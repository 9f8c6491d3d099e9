"""Which face of an image is looked at: the same choice, and the same address, on every page."""

from collections.abc import Sequence

import streamlit as st

from fervt.draw import draw_boxes, fit_for_screen
from fervt.labels import expression
from fervt.predict import Prediction, Predictor
from fervt.ui.address import put, read, whole_number
from fervt.ui.answers import predict_faces
from fervt.ui.images import Picture

FACE, WHOLE = "face", "whole"

_FACE_WIDGET = "face_choice"
_WHOLE_WIDGET = "whole_choice"
_TALLEST_PX = 520
_OTHERS_COLOUR = "#7F7F7F"


def pick_face(predictor: Predictor, picture: Picture) -> Prediction | None:
    """Draws an image with its faces numbered, and the ways to choose one; gives the chosen one.

    Returns:
        None where no face was found and the whole image is not asked for; that is then said, with
        the offer to take the whole image.
    """
    whole = whole_image_wanted()
    predictions = predict_faces(predictor, picture, whole)
    index = _wanted_index(len(predictions))
    _show_boxes(picture, predictions, index, whole)
    if not predictions:
        st.info("No face was found in this image.", icon=":material/face_retouching_off:")
        st.button("Take the whole image as one face", type="primary", on_click=_take_whole)
        return None
    if len(predictions) > 1:
        st.session_state[_FACE_WIDGET] = index + 1
        st.pills(
            "Face",
            range(1, len(predictions) + 1),
            key=_FACE_WIDGET,
            required=True,
            on_change=_choose_face,
        )
    st.session_state[_WHOLE_WIDGET] = whole
    st.toggle(
        "Whole image is the face",
        key=_WHOLE_WIDGET,
        on_change=_choose_whole,
        help="For images that are already cut to a face, and for faces that were not found.",
    )
    return predictions[index]


def whole_image_wanted() -> bool:
    """Whether the address asks for the whole image instead of the faces in it."""
    return read(WHOLE) == "1"


def _wanted_index(count: int) -> int:
    wanted = whole_number(FACE, 1)
    return wanted - 1 if 1 <= wanted <= count else 0


def _choose_face() -> None:
    put(FACE, str(st.session_state[_FACE_WIDGET]))


def _choose_whole() -> None:
    put(WHOLE, "1" if st.session_state[_WHOLE_WIDGET] else "0")


def _take_whole() -> None:
    put(WHOLE, "1")


def _show_boxes(
    picture: Picture, predictions: Sequence[Prediction], index: int, whole: bool
) -> None:
    canvas, factor = fit_for_screen(picture.rgb)
    if not whole:
        boxes = [tuple(round(factor * edge) for edge in p.box_xyxy_px) for p in predictions]
        colors = [
            expression(p.label).color if i == index else _OTHERS_COLOUR
            for i, p in enumerate(predictions)
        ]
        numbers = [str(i + 1) for i in range(len(predictions))]
        angles = [p.angle_deg for p in predictions]
        canvas = draw_boxes(canvas, boxes, numbers, colors, angles)  # type: ignore[arg-type]
    height, width = canvas.shape[:2]
    tall = height > 1.2 * width
    st.image(
        canvas,
        width=max(16, round(_TALLEST_PX * width / height)) if tall else "stretch",
        caption=picture.name,
        alt=f"{picture.name}, its faces marked",
    )
