"""Home's first look: a real face, what the model reads in it, and the part that decides."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.examples import EXAMPLES, load_example
from fervt.explain import Explanation, explain_face, seen_part
from fervt.explain.regions import RegionEffects, hide_regions, name_main_region
from fervt.figures.grid import encode_picture
from fervt.labels import expression
from fervt.predict import Prediction, Predictor, to_face
from fervt.ui.bars import show_bars
from fervt.ui.cards import draw_card, draw_card_style
from fervt.ui.certainty import say
from fervt.ui.component import mount
from fervt.ui.explain.board import legend, plain_panel
from fervt.ui.images import examples
from fervt.ui.navigation import leave_for, link_parameters
from fervt.ui.remembered import remember

FACE = "astronaut"
_FACE_PX = 448


@dataclass(frozen=True, eq=False)
class Shown:
    """The face that Home shows, explained.

    Attributes:
        prediction: The checkpoint's answer for it.
        explanation: Why, as arrays.
        effects: The same without each region.
        seen: (448, 448, 3) uint8 RGB, the part that the model sees.
    """

    prediction: Prediction
    explanation: Explanation
    effects: RegionEffects
    seen: NDArray[np.uint8]

    @property
    def drops(self) -> dict[str, float]:
        """By region, how much the leading expression's probability falls without it."""
        target = self.explanation.predicted
        plain = float(target.score(self.effects.plain))
        return {name: plain - float(target.score(p)) for name, p in self.effects.hidden.items()}


def explain_example(predictor: Predictor) -> Shown:
    """Explains Home's face, which belongs to no visitor."""
    return remember(predictor, FACE, "home", lambda: _explain(predictor))


def _explain(predictor: Predictor) -> Shown:
    prediction = predictor.predict(load_example(FACE))[0]
    face = to_face(prediction.crop)
    return Shown(
        prediction,
        explain_face(predictor, face),
        hide_regions(predictor, face),
        seen_part(prediction.crop, predictor.info.preprocess.crop),
    )


def show_hero(predictor: Predictor, shown: Shown, proof: str) -> None:
    """Draws the face with its evidence, the answer in words, and links to try your own.

    Args:
        predictor: The checkpoint.
        shown: The explained face.
        proof: One line on how good the checkpoint is; "" if nothing is known.
    """
    maps = shown.explanation.maps(shown.explanation.predicted)
    face, words = st.columns([5, 6], gap="large", vertical_alignment="center")
    with face:
        panel = plain_panel("occlusion", maps["occlusion"]) | {"note": ""}
        name = expression(shown.prediction.label).name
        mount(
            "board",
            "hero",
            {
                "face": encode_picture(shown.seen, _FACE_PX),
                "panels": [panel],
                "legend": legend(
                    f"hiding it makes {name} less likely", f"hiding it makes {name} more likely"
                ),
                "fade": True,
                "width": "370px",
            },
        )
    with words:
        st.header(
            f"{say(predictor, shown.prediction)}: {name_main_region(shown.drops)}", anchor=False
        )
        show_bars(shown.prediction.probabilities, shown.prediction.classes)
        with st.container(horizontal=True):
            st.button(
                "Use my webcam",
                type="primary",
                icon=":material/videocam:",
                on_click=leave_for,
                args=("live", link_parameters()),
            )
            st.button(
                "Drop a photo",
                type="primary",
                icon=":material/add_photo_alternate:",
                on_click=leave_for,
                args=("predict", link_parameters(image=None, face=None, whole=None)),
            )
        if proof:
            st.markdown(proof)


def show_other_faces() -> None:
    """Draws the other examples; a click on one explains it."""
    draw_card_style()
    st.markdown("**Or see another face explained**")
    with st.grid(min_column_width=80, gap="small"):
        for name in EXAMPLES:
            picture = examples()[name]
            if name != FACE:
                there = link_parameters(image=name, face=None, whole=None)
                draw_card(
                    f"home_{name}", picture.thumbnail, picture.name, leave_for, ("explain", there)
                )
