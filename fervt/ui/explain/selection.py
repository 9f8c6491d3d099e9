"""What the sections of the Explain page share: the explained face, the target, the marked cell.

The target and the cell are kept in the address, so that a link shows the same evidence.
"""

import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from fervt.amounts import percent
from fervt.draw import fit_for_screen, jpeg_bytes
from fervt.explain import Explanation, Target, explain_face, seen_part
from fervt.explain.regions import RegionEffects, hide_regions
from fervt.figures.in_words import list_values
from fervt.figures.probabilities import plot_probabilities
from fervt.grid import GRID
from fervt.labels import Vocabulary, expression
from fervt.predict import Prediction, Predictor, to_face
from fervt.ui.address import put, read, wanted
from fervt.ui.charts import show_chart
from fervt.ui.choices import pick_flag, store
from fervt.ui.clicks import clicked
from fervt.ui.images import Picture
from fervt.ui.remembered import recall, remember, remember_here

Cell = tuple[int, int]

CELL, TARGET, AGAINST = "cell", "target", "against"
_NOTHING = ""
_ASKED = "asked for"
_CAME = "came_to_explain"


@dataclass(frozen=True, eq=False)
class ExplainedFace:
    """One face, explained.

    Attributes:
        predictor: The checkpoint.
        picture: The picture that the face is in.
        prediction: The checkpoint's answer for the face.
        explanation: Why, as arrays.
        effects: What the prediction becomes without each region.
        target: What is being explained.
        cell: The marked cell, row and column; None for none.
        seen: (448, 448, 3) uint8 RGB, the part of the crop that the model sees.
        crop_jpeg: The whole crop, at screen size.
        key: Identifies the face and the checkpoint in the cache of results on demand.
        compute_ms: How long the explanation took when it was made.
    """

    predictor: Predictor
    picture: Picture
    prediction: Prediction
    explanation: Explanation
    effects: RegionEffects
    target: Target
    cell: Cell | None
    seen: NDArray[np.uint8]
    crop_jpeg: bytes
    key: tuple[Any, ...]
    compute_ms: float

    @property
    def vocabulary(self) -> Vocabulary:
        """The checkpoint's classes."""
        return self.predictor.classes

    @property
    def target_name(self) -> str:
        """The target's display name."""
        return self.target.describe(self.vocabulary)

    @property
    def score_name(self) -> str:
        """What is measured for the target, in words."""
        return self.target.describe_score(self.vocabulary)

    @property
    def drops(self) -> dict[str, float]:
        """By region, how much the target's score falls when it is hidden, -1..1."""
        plain = float(self.target.score(self.effects.plain))
        return {
            name: plain - float(self.target.score(hidden))
            for name, hidden in self.effects.hidden.items()
        }

    @property
    def shelf(self) -> dict[Any, Any]:
        """The cache of this face's results on demand; it is cleared with the images."""
        return remember_here((*self.key, "on demand"), dict)

    def find(self, what: Hashable) -> Any:
        """One of these results, None if nobody has asked for it yet."""
        return (recall((*self.key, "on demand")) or {}).get(what)


def open_view(predictor: Predictor, picture: Picture, prediction: Prediction) -> ExplainedFace:
    """Explains a face, once."""
    place = prediction.box_xyxy_px, prediction.angle_deg

    def compute() -> tuple[Explanation, RegionEffects, NDArray[np.uint8], bytes, float]:
        started = time.perf_counter()
        face = to_face(prediction.crop)
        explanation, effects = explain_face(predictor, face), hide_regions(predictor, face)
        seen = seen_part(prediction.crop, predictor.info.preprocess.crop)
        crop = jpeg_bytes(fit_for_screen(prediction.crop)[0])
        return explanation, effects, seen, crop, 1000 * (time.perf_counter() - started)

    with st.spinner("Looking at the face", show_time=False):
        found = remember(predictor, picture.key, (*place, "explanation"), compute)
    explanation, effects, seen, crop, compute_ms = found
    target = wanted_target(predictor.classes, prediction)
    cell = wanted_cell()
    return ExplainedFace(
        predictor,
        picture,
        prediction,
        explanation,
        effects,
        target,
        cell,
        seen,
        crop,
        (predictor, picture.key, *place),
        compute_ms,
    )


def wanted_target(vocabulary: Vocabulary, prediction: Prediction) -> Target:
    """The target in the address; the predicted class if it names no known one."""
    label, against = _wanted_labels(vocabulary, prediction)
    return Target.named(vocabulary, label or prediction.label, against or None)


def _wanted_labels(vocabulary: Vocabulary, prediction: Prediction) -> tuple[str, str]:
    label = wanted(TARGET, vocabulary.classes, _NOTHING, "the predicted one")
    against = wanted(AGAINST, vocabulary.classes, _NOTHING, "no contrast")
    return label, _NOTHING if against == (label or prediction.label) else against


def pick_depths() -> bool:
    """Draws the choice to see everything below the maps; returns whether it is wanted.

    A link to one of its views opens it: once, since the address drops the default
    view as soon as the page has run.
    """
    if not st.session_state.setdefault(_CAME, False):
        st.session_state[_CAME] = True
        if read("view") is not None and read("depths") is None:
            put("depths", "1")
    return pick_flag(
        "For researchers: every layer and edge, tokens, faithfulness, what-if, numbers, files",
        "depths",
    )


def pick_target(vocabulary: Vocabulary, prediction: Prediction) -> None:
    """Draws the two choices."""
    label, against = _wanted_labels(vocabulary, prediction)
    others = [name for name in vocabulary.classes if name != (label or prediction.label)]
    predicted = f"Predicted: {expression(prediction.label).name}"
    _pick("Explain", TARGET, label, vocabulary.classes, predicted)
    _pick("In contrast to", AGAINST, against, others, "nothing")


def _pick(title: str, name: str, chosen: str, labels: Any, default: str) -> None:
    widget = f"explain_{name}"
    st.session_state[widget] = chosen
    st.selectbox(
        title,
        [_NOTHING, *labels],
        key=widget,
        format_func=lambda label: expression(label).name if label else default,
        on_change=store,
        args=(name, widget, _NOTHING),
    )


def wanted_cell() -> Cell | None:
    """The cell marked in the address, None if there is none or it is invalid."""
    cells = {f"{row},{column}": (row, column) for row, column in every_cell()}
    return cells.get(wanted(CELL, list(cells), _NOTHING, "no marked cell"))


def mark_cell(cell: Cell | None) -> None:
    """Marks a cell in every view, or none; for use in callbacks."""
    put(CELL, None if cell is None else f"{cell[0]},{cell[1]}")


def show_clickable(figure: go.Figure, name: str, cell: Cell | None, alt: str) -> None:
    """Draws a figure of the grid in which a click marks a cell."""
    # A new key for each marked cell drops the chart's own selection, so that the same cell can be
    # clicked again after another view has marked a different one.
    key = f"{name}_{cell}"
    click = partial(_take_click, key)
    show_chart(figure, key, alt, on_select=click, selection_mode="points")


def _take_click(key: str) -> None:
    for values in clicked(key):
        if len(values) >= 2:
            mark_cell((int(values[0]), int(values[1])))


def ask(view: ExplainedFace, label: str, work: str, primary: bool = True) -> bool:
    """Draws a button that starts work on demand; true only in the run right after a click.

    Args:
        view: The face.
        label: The button's.
        work: A name for it, without the choices beside the button: somebody who clicks right after
            a choice clicks the button that was drawn before it.
        primary: Whether it is the main button.
    """
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    st.button(label, type=kind, on_click=view.shelf.__setitem__, args=(_ASKED, work))
    if view.shelf.get(_ASKED) != work:
        return False
    del view.shelf[_ASKED]
    return True


def show_probability_bars(prediction: Prediction, key: str, height_px: int) -> None:
    """Draws all probabilities compactly."""
    figure = plot_probabilities(prediction.probabilities, prediction.classes)
    figure.update_layout(
        height=height_px, margin={"t": 0, "b": 0, "l": 0, "r": 44}, minreducedwidth=20
    )
    figure.update_xaxes(visible=False)
    names = [expression(label).name for label in prediction.classes]
    show_chart(figure, key, list_values("Probabilities", names, prediction.probabilities, percent))


def every_cell() -> Iterator[Cell]:
    """All cells, row by row."""
    return ((row, column) for row in range(GRID) for column in range(GRID))
