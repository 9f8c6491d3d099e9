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

from fervt.explain import Explanation, Target, explain_face, seen_part
from fervt.figures.probabilities import plot_probabilities
from fervt.grid import GRID
from fervt.labels import Vocabulary, expression
from fervt.predict import Prediction, Predictor, to_face
from fervt.ui.address import put, read, wanted
from fervt.ui.charts import show_chart
from fervt.ui.choices import store
from fervt.ui.clicks import clicked
from fervt.ui.images import Picture, remember

Cell = tuple[int, int]

CELL, TARGET, AGAINST = "cell", "target", "against"
_NOTHING = ""
_ASKED = "asked for"


@dataclass(frozen=True, eq=False)
class ExplainedFace:
    """One face, explained.

    Attributes:
        predictor: The checkpoint.
        prediction: What it says of the face.
        explanation: Why, as arrays.
        target: What is being explained.
        cell: The marked cell, row and column; None for none.
        seen: (448, 448, 3) uint8 RGB, the part of the crop that the model sees.
        key: Names the face and the checkpoint, for what is computed on demand.
        compute_ms: How long the explanation took when it was made.
    """

    predictor: Predictor
    prediction: Prediction
    explanation: Explanation
    target: Target
    cell: Cell | None
    seen: NDArray[np.uint8]
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
        """What is measured of the target, as people say it."""
        return self.target.describe_score(self.vocabulary)

    @property
    def shelf(self) -> dict[Any, Any]:
        """Where results on demand are kept for this face; it is emptied with the images."""
        return remember((*self.key, "on demand"), dict)


def open_view(predictor: Predictor, picture: Picture, prediction: Prediction) -> ExplainedFace:
    """Explains a face, once a session; draws the answer and the choice of what to explain."""
    key = (predictor, picture.key, prediction.box_xyxy_px, prediction.angle_deg)

    def compute() -> tuple[Explanation, NDArray[np.uint8], float]:
        started = time.perf_counter()
        explanation = explain_face(predictor, to_face(prediction.crop))
        seen = seen_part(prediction.crop, predictor.info.preprocess.crop)
        return explanation, seen, 1000 * (time.perf_counter() - started)

    with st.spinner("Looking at the face", show_time=False):
        explanation, seen, compute_ms = remember((*key, "explanation"), compute)
    leading = expression(prediction.label).name
    st.subheader(f"{leading}, {prediction.confidence:.0%}", anchor=False)
    show_probability_bars(prediction, "answer", 200)
    target = _pick_target(predictor.classes, prediction)
    return ExplainedFace(
        predictor, prediction, explanation, target, wanted_cell(), seen, key, compute_ms
    )


def _pick_target(vocabulary: Vocabulary, prediction: Prediction) -> Target:
    """Draws the two choices; invalid values in the address are ignored."""
    classes = vocabulary.classes
    label = wanted(TARGET, classes, _NOTHING)
    against = wanted(AGAINST, classes, _NOTHING)
    if against == (label or prediction.label):
        against = _NOTHING
    others = [name for name in classes if name != (label or prediction.label)]
    predicted = f"Predicted: {expression(prediction.label).name}"
    with st.grid(2, min_column_width=150):
        _pick("Explain", TARGET, label, classes, predicted)
        _pick("In contrast to", AGAINST, against, others, "nothing")
    return Target.named(vocabulary, label or prediction.label, against or None)


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
    """The cell that the address marks, None for none or nonsense."""
    parts = (read(CELL) or "").split(",")
    if len(parts) != 2 or not all(part in set("0123456") for part in parts):
        return None
    return int(parts[0]), int(parts[1])


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


def ask(view: ExplainedFace, label: str, work: Hashable, primary: bool = True) -> bool:
    """Draws a button that starts work on demand; true only in the run right after a click."""
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
    show_chart(figure, key, "Probability of each expression")


def every_cell() -> Iterator[Cell]:
    """All cells, row by row."""
    return ((row, column) for row in range(GRID) for column in range(GRID))
