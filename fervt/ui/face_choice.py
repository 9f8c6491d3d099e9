"""Which face of an image is looked at: the same choice, and the same address, on every page."""

from collections.abc import Sequence

import streamlit as st

from fervt.draw import fit_for_screen
from fervt.figures.grid import encode_picture, encode_png
from fervt.labels import expression
from fervt.predict import Prediction, Predictor
from fervt.ui.address import put, wanted, whole_number
from fervt.ui.answers import predict_faces
from fervt.ui.certainty import say
from fervt.ui.component import mount
from fervt.ui.images import Picture
from fervt.ui.remembered import remember

FACE, WHOLE = "face", "whole"

_FACE_WIDGET = "face_choice"
_WHOLE_WIDGET = "whole_choice"
_LONGER_PX = 960
_SMALL_PX = 200
_OTHERS_COLOR = "#9A9AA8"


def pick_face(predictor: Predictor, picture: Picture) -> Prediction | None:
    """Draws an image with its faces, and the ways to choose one; returns the chosen one.

    Returns:
        None if no face was found and the whole image is not asked for; the page then says so, with
        the offer to take the whole image.
    """
    faces = predict_faces(predictor, picture, whole_image_wanted())
    show_photo(predictor, picture, faces)
    if not faces:
        offer_whole()
        return None
    pick_number(len(faces))
    pick_whole()
    return faces[chosen_index(len(faces))]


def choose_face(predictor: Predictor, picture: Picture) -> Prediction | None:
    """The same without the image, for pages that show the face alone."""
    faces = predict_faces(predictor, picture, whole_image_wanted())
    if not faces:
        show_photo(predictor, picture, faces)
        offer_whole()
        return None
    return faces[chosen_index(len(faces))]


def whole_image_wanted() -> bool:
    """Whether the address asks for the whole image instead of the faces in it."""
    return wanted(WHOLE, ("0", "1"), "0", "the faces in it") == "1"


def chosen_index(count: int) -> int:
    """The index of the face that the address names among so many; 0 if it names none."""
    if not count or whole_image_wanted():  # nothing to choose from
        return 0
    return whole_number(FACE, range(1, count + 1), 1) - 1


def choose(number: int) -> None:
    """Chooses another face, counted from 1; for use in callbacks."""
    put(FACE, str(number))


def pick_number(count: int) -> None:
    """Draws the choice among several faces."""
    if count < 2:
        return
    st.session_state[_FACE_WIDGET] = chosen_index(count) + 1
    st.pills(
        "Face",
        range(1, count + 1),
        key=_FACE_WIDGET,
        required=True,
        on_change=lambda: choose(st.session_state[_FACE_WIDGET]),
    )


def pick_whole() -> None:
    """Draws the choice to take the image as one face."""
    st.session_state[_WHOLE_WIDGET] = whole_image_wanted()
    st.toggle(
        "The whole image is one face",
        key=_WHOLE_WIDGET,
        on_change=lambda: put(WHOLE, "1" if st.session_state[_WHOLE_WIDGET] else "0"),
        help="For images that are already cropped to a face, and for faces that weren't found.",
    )


def offer_whole() -> None:
    """Says that no face was found, and offers to take the whole image."""
    st.info("No face was found in this image.", icon=":material/face_retouching_off:")
    st.button("Use the whole image as one face", type="primary", on_click=put, args=(WHOLE, "1"))


def show_photo(predictor: Predictor, picture: Picture, faces: Sequence[Prediction]) -> None:
    """Draws an image with its faces as labeled buttons; a click chooses that face."""
    height, width = picture.height_px, picture.width_px
    chosen, marked = chosen_index(len(faces)), not whole_image_wanted()
    boxes = []
    for number, face in enumerate(faces if marked else (), 1):
        left, top, right, bottom = face.box_xyxy_px
        said = say(predictor, face)
        # Short enough for a small face; the whole answer is in its card.
        label = f"{number} " + said.split(",")[0].split(":")[0] if len(faces) > 1 else said
        boxes.append(
            {
                "number": number,
                "left": 100 * left / width,
                "top": 100 * top / height,
                "width": 100 * (right - left) / width,
                "height": 100 * (bottom - top) / height,
                "angle": face.angle_deg,
                "label": label,
                "about": f"Face {number}: {said}",
                "color": expression(face.label).color if number == chosen + 1 else _OTHERS_COLOR,
                "chosen": number == chosen + 1,
            }
        )
    small = max(height, width) < _SMALL_PX

    def encode() -> str:
        rgb = picture.rgb
        return encode_png(fit_for_screen(rgb)[0]) if small else encode_picture(rgb, _LONGER_PX)

    mount(
        "photo",
        "photo",
        {
            "image": remember(predictor, picture.key, "on screen", encode),
            "small": small,
            "name": picture.name,
            "alt": f"{picture.name}, its faces marked" if boxes else picture.name,
            "faces": boxes,
        },
        choose,
    )
