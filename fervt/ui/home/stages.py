"""Home's tour of the model: what each stage makes of the face, one click each."""

from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.draw import draw_graph, draw_overlay
from fervt.explain import SOURCES, edge_attention
from fervt.explain.evidence import Array
from fervt.explain.pyramid import LEVELS, pyramid
from fervt.predict import Predictor
from fervt.ui.address import put, wanted
from fervt.ui.cards import draw_card
from fervt.ui.home.hero import FACE, Shown
from fervt.ui.navigation import link_parameters, link_to
from fervt.ui.remembered import remember
from fervt.ui.same_map import say_same

PARAMETER = "stage"
_SIDE_PX = 336
_STRONGEST = 10


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of the model.

    Attributes:
        key: Its name in the address.
        title: A word or two.
        meaning: What happens here, in plain words.
        picture: (336, 336, 3) uint8 RGB, what it makes of the face.
        measured: How what is said of it was measured, for a tooltip.
    """

    key: str
    title: str
    meaning: str
    picture: NDArray[np.uint8]
    measured: str | None = None


def show_stages(predictor: Predictor, shown: Shown) -> None:
    """Draws all stages small and in order, and the chosen one large."""
    st.header("How it works: one face, stage by stage", anchor=False)
    stages = remember(predictor, FACE, "home stages", lambda: make_stages(predictor, shown))
    keys = [stage.key for stage in stages]
    chosen = wanted(PARAMETER, keys, keys[1], f"'{stages[1].title}'")
    with st.grid(min_column_width=80, gap="small"):
        for stage in stages:
            draw_card(
                f"stage_{stage.key}",
                stage.picture,
                stage.title,
                put,
                (PARAMETER, stage.key),
                chosen=stage.key == chosen,
            )
    stage = next(stage for stage in stages if stage.key == chosen)
    left, right = st.columns([2, 5], gap="large", vertical_alignment="center")
    left.image(stage.picture, width="stretch", alt=f"{stage.title}: {stage.meaning}")
    with right:
        st.markdown(f"**{stage.title}.** {stage.meaning}", help=stage.measured)
        face = link_parameters(image="astronaut", face=None, whole=None)
        there = face | {"view": "Pipeline", "depths": "1"}
        link_to("explain", "See every stage in numbers", there)
        link_to("glossary", "Look a word up")


def make_stages(predictor: Predictor, shown: Shown) -> list[Stage]:
    """The stages that a checkpoint has, from the photo to the tokens."""
    trace, seen = shown.explanation.trace, cv2.resize(shown.seen, (_SIDE_PX, _SIDE_PX))
    stages = [
        Stage(
            "input",
            "Input",
            f"The face is cut out, turned upright, and shrunk to {trace.model_input.shape[0]} "
            "gray pixels a side. This is all that the model sees.",
            _enlarge(np.rint(255 * np.clip(trace.model_input, 0, 1)).astype(np.uint8)),
        )
    ]
    if trace.gwa_weights is not None:
        same = say_same(predictor)
        stages.append(
            Stage(
                "gwa",
                SOURCES["gwa"].title,
                "Grid-wise attention cuts the face into 7 × 7 cells, compares each cell with all "
                "the others and gives it a weight: orange cells are let through more strongly "
                "than the average one." + ("" if same is None else f" {same.said}"),
                draw_overlay(seen, trace.gwa_weights),  # type: ignore[arg-type]
                None if same is None else same.measured,
            )
        )
    stages.append(
        Stage(
            "fusion",
            "Fusion",
            "Convolutions merge the weighted face with the face itself.",
            _heat(np.asarray(trace.fused_features).mean(axis=0), cv2.COLORMAP_BONE),
        )
    )
    if trace.gat_attention is not None and trace.edge_index is not None:
        attention = edge_attention(trace.gat_attention)
        stages.append(
            Stage(
                "graph",
                "Graph",
                "Each cell is linked with its neighbors and takes over part of what they know. "
                f"The {_STRONGEST} strongest links are drawn, from source to target.",
                draw_graph(seen, trace.edge_index, attention, strongest=_STRONGEST),  # type: ignore[arg-type]
            )
        )
    details = ("edges and textures, finely", "parts of the face", "the whole face, coarsely")
    levels = pyramid(predictor, trace.fused_features)
    for level, values, what in zip(LEVELS, levels, details, strict=True):
        height, width = values.shape
        stages.append(
            Stage(
                level.lower(),
                level,
                f"A ResNet-34 describes {what}: {height} × {width} positions, bright where "
                "its features are active.",
                _heat(values, cv2.COLORMAP_VIRIDIS),
            )
        )
    stages.append(
        Stage(
            "tokens",
            "Tokens",
            f"Each description becomes a token, a row of numbers: {', '.join(trace.token_names)}. "
            "A transformer lets them look at each other, and the expression is read from the "
            "class token.",
            _heat(_tall(trace.tokens), cv2.COLORMAP_TWILIGHT_SHIFTED),
        )
    )
    return stages


def _tall(tokens: Array) -> Array:
    """Tokens (N, D) as a picture that is not much wider than high."""
    return tokens[:, : 12 * len(tokens)].repeat(8, axis=0)


def _heat(values: Array, colors: int) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    levels = np.rint(255 * (values - low) / max(high - low, 1e-9)).astype(np.uint8)
    return _enlarge(cv2.applyColorMap(levels, colors)[..., ::-1])


def _enlarge(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixel by pixel, to a square; gray becomes RGB."""
    size = (_SIDE_PX, _SIDE_PX)
    large = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_NEAREST)
    return large if large.ndim == 3 else cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]
