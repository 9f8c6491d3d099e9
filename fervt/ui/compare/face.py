"""The same face in all checkpoints, side by side, with cell weights and graph."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from fervt.errors import FervtError
from fervt.evaluation.certainty import say_prediction
from fervt.explain import edge_attention, seen_part, trace_face
from fervt.explain.evidence import Array
from fervt.explain.trace import Trace
from fervt.figures.graph import graph_figure
from fervt.figures.grid import BAR_PX, FACE_PX
from fervt.figures.in_words import say_edges, say_map
from fervt.figures.overlay import overlay_figure
from fervt.labels import FER2013, expression
from fervt.predict import Prediction, Predictor, to_face
from fervt.ui.bars import show_bars
from fervt.ui.certainty import threshold_of
from fervt.ui.charts import show_chart
from fervt.ui.compare.selection import Lineup
from fervt.ui.face_choice import pick_face
from fervt.ui.images import pick_image
from fervt.ui.remembered import remember
from fervt.ui.same_map import say_same
from fervt.ui.text import as_text

_ROW_PX = 780  # for all pictures in a row on a usual screen, beside the sidebar
EVERY = (*FER2013.classes, "contempt")
"""All expressions, in the order in which checkpoints of both vocabularies are compared."""


def show_one_face(lineup: Lineup, predictor: Predictor) -> None:
    """Draws the choice of a face and each checkpoint's result for it."""
    picture = pick_image()
    if picture is None:
        return
    left, _ = st.columns([1, 2], gap="large")
    with left:
        face = pick_face(predictor, picture)
    if face is None:
        return
    about = st.container()
    face_px = min(FACE_PX, _ROW_PX // len(lineup.names))  # as high as a column is wide
    loaded: dict[str, Predictor] = {}
    columns = dict(zip(lineup.names, st.columns(len(lineup.names), gap="medium"), strict=True))
    for name, column in columns.items():
        try:
            loaded[name] = lineup.load(name)
        except FervtError as error:  # the others can still be shown
            column.error(as_text(error), icon=":material/error:")
    labels = in_one_order([each.classes.classes for each in loaded.values()])
    traces = {name: _trace(other, face, picture.key) for name, other in loaded.items()}
    # One scale of colors for all maps, or the paler of two would look as strong as the other.
    weights = [trace.gwa_weights for trace in traces.values() if trace.gwa_weights is not None]
    strongest = max([2.0, *(float(each.max()) for each in weights)])
    for name, other in loaded.items():
        with columns[name]:
            _show_checkpoint(name, other, face, traces[name], strongest, face_px, labels)
    lacking = any(len(other.classes) < len(labels) for other in loaded.values())
    about.caption(
        "For each checkpoint: its probabilities, its grid-wise attention (GWA; 1 is "
        "average), and its graph attention along the edges."
        + (" A dash: the checkpoint has no such class." if lacking else "")
    )


def in_one_order(vocabularies: Sequence[Sequence[str]]) -> list[str]:
    """A label for each expression that any of the vocabularies has, always in the same order."""
    meant = {expression(label) for labels in vocabularies for label in labels}
    return [label for label in EVERY if expression(label) in meant]


def align(probabilities: Array, classes: Sequence[str], labels: Sequence[str]) -> Array:
    """Probabilities (C,) in the order of other labels (L,), NaN where there is no such class."""
    known = dict(zip(map(expression, classes), probabilities.tolist(), strict=True))
    return np.array([known.get(expression(label), np.nan) for label in labels])


def _trace(predictor: Predictor, face: Prediction, key: str) -> Trace:
    return remember(
        predictor,
        key,
        (face.box_xyxy_px, face.angle_deg, "trace"),
        lambda: trace_face(predictor, to_face(face.crop)),
    )


def _show_checkpoint(
    name: str,
    predictor: Predictor,
    face: Prediction,
    trace: Trace,
    strongest: float,
    face_px: int,
    labels: Sequence[str],
) -> None:
    seen = seen_part(face.crop, predictor.info.preprocess.crop)
    classes = predictor.classes.classes
    said = say_prediction(trace.probabilities, classes, threshold_of(predictor.sha256))
    st.markdown(f"**{as_text(name)}**: {said}")
    show_bars(align(trace.probabilities, classes, labels), labels)
    if trace.gwa_weights is None:
        st.caption("Built without grid-wise attention (GWA).")
    else:
        figure = overlay_figure(
            seen,
            trace.gwa_weights,
            unit="× average",
            range_=(1.0, strongest),
            height_px=face_px + BAR_PX,
        )
        said = say_map(f"GWA of {name}", trace.gwa_weights, "{:.2f} × average".format)
        show_chart(figure, f"gwa_{name}", said)
    if trace.gat_attention is None or trace.edge_index is None:
        st.caption("Built without the graph.")
    else:
        attention = edge_attention(trace.gat_attention)
        figure = graph_figure(seen, trace.edge_index, attention, face_px=face_px)
        said = say_edges(f"Graph attention of {name}", trace.edge_index, attention)
        show_chart(figure, f"graph_{name}", said)
    # At the end: between them, it would push one graph below the graph beside it.
    if trace.gwa_weights is not None and (same := say_same(predictor)) is not None:
        st.caption(f"GWA: {same.said[0].lower()}{same.said[1:]}", help=same.measured)
