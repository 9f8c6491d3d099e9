"""The same face in all checkpoints, side by side, with cell weights and graph."""

import streamlit as st

from fervt.errors import FervtError
from fervt.evaluation.certainty import percent
from fervt.explain import edge_attention, seen_part, trace_face
from fervt.figures.graph import graph_figure
from fervt.figures.grid import BAR_PX, FACE_PX
from fervt.figures.in_words import list_values, say_edges, say_map
from fervt.figures.overlay import overlay_figure
from fervt.figures.probabilities import plot_probabilities
from fervt.labels import expression
from fervt.predict import Prediction, Predictor, to_face
from fervt.ui.charts import show_chart
from fervt.ui.compare.selection import Lineup
from fervt.ui.face_choice import pick_face
from fervt.ui.images import pick_image
from fervt.ui.remembered import remember
from fervt.ui.same_map import say_same
from fervt.ui.text import as_text

_ROW_PX = 780  # for all pictures in a row on a usual screen, beside the sidebar


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
    st.caption(
        "For each checkpoint: its probabilities, its grid-wise attention (GWA; 1 is "
        "average), and its graph attention along the edges."
    )
    face_px = min(FACE_PX, _ROW_PX // len(lineup.names))  # as high as a column is wide
    for column, name in zip(st.columns(len(lineup.names), gap="medium"), lineup.names, strict=True):
        with column:
            try:
                other = lineup.load(name)
            except FervtError as error:  # the others can still be shown
                st.error(as_text(error), icon=":material/error:")
                continue
            _show_checkpoint(name, other, face, picture.key, face_px)


def _show_checkpoint(
    name: str, predictor: Predictor, face: Prediction, key: str, face_px: int
) -> None:
    trace = remember(
        predictor,
        key,
        (face.box_xyxy_px, face.angle_deg, "trace"),
        lambda: trace_face(predictor, to_face(face.crop)),
    )
    seen = seen_part(face.crop, predictor.info.preprocess.crop)
    leading = predictor.classes.classes[int(trace.probabilities.argmax())]
    st.markdown(f"**{name}**: {expression(leading).name}, {trace.probabilities.max():.0%}")
    figure = plot_probabilities(trace.probabilities, predictor.classes.classes)
    called = [expression(label).name for label in predictor.classes.classes]
    said = list_values(f"What {name} says of the face", called, trace.probabilities, percent)
    show_chart(figure, f"face_{name}", said)
    if trace.gwa_weights is None:
        st.caption("Built without grid-wise attention (GWA).")
    else:
        figure = overlay_figure(
            seen, trace.gwa_weights, unit="× average", height_px=face_px + BAR_PX
        )
        said = say_map(f"GWA of {name}", trace.gwa_weights, "{:.2f} × average".format)
        show_chart(figure, f"gwa_{name}", said)
        if (same := say_same(predictor)) is not None:
            st.caption(same.said, help=same.measured)
    if trace.gat_attention is None or trace.edge_index is None:
        st.caption("Built without the graph.")
    else:
        attention = edge_attention(trace.gat_attention)
        figure = graph_figure(seen, trace.edge_index, attention, face_px=face_px)
        said = say_edges(f"Graph attention of {name}", trace.edge_index, attention)
        show_chart(figure, f"graph_{name}", said)
