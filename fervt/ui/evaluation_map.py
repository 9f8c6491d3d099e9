"""The embedding map: each face where the model's class token puts it."""

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.errors import DataError
from fervt.figures.evaluation_map import map_figure
from fervt.labels import expression
from fervt.ui.choices import pick_one, put
from fervt.ui.evaluation import View, say
from fervt.ui.evaluation_gallery import ROW, show_face_of

_MOST_TSNE_ROWS = 8_000
_ERROR_COLOURS = ("#56B4E9", "#D55E00")


def show_map(view: View) -> None:
    """Draws the map; a click on a point shows its face."""
    say(
        "What the model holds to be alike",
        "One point a face, laid out by its class token: what the expression is read from. Drag to "
        "move, scroll to zoom, click for the face.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = pick_one(
            "Layout",
            "layout",
            {"pca": "PCA", "tsne": "t-SNE"},
            "pca",
            help="PCA: the two directions of most variance. t-SNE keeps neighbours together; "
            "distances between groups mean little.",
        )
        colour = pick_one(
            "Colour by",
            "colour",
            {"label": "Label", "prediction": "Prediction", "error": "Right or wrong"},
            "label",
        )
    if method == "tsne" and len(view.evaluation.plain) > _MOST_TSNE_ROWS:
        st.info(f"t-SNE is offered for up to {_MOST_TSNE_ROWS:,} faces; this is PCA.")
        method = "pca"
    with st.spinner("Laying out the faces"):
        try:
            plane = view.evaluation.layout("tsne" if method == "tsne" else "pca")
        except DataError as error:
            st.info(str(error))
            return
    kept = np.searchsorted(view.evaluation.plain.index.to_numpy(), view.rows.table.index.to_numpy())
    show_face_of(view)
    _draw(view, plane[kept], colour)


def _draw(view: View, plane: NDArray[np.float32], colour: str) -> None:
    rows, names = view.rows, view.names
    colours: tuple[str, ...]
    if colour == "error":
        groups, titles, colours = (~rows.right).astype(int), ["Right", "Wrong"], _ERROR_COLOURS
    else:
        groups = rows.labels if colour == "label" else rows.predicted
        titles, colours = names, tuple(expression(label).colour for label in rows.classes)
    numbers = rows.table["row"].to_numpy()
    confidence = rows.calibrated.max(axis=1)
    hover = [
        f"row {number}<br>labelled {names[label]}<br>taken for {names[answer]}, {sure:.0%}"
        for number, label, answer, sure in zip(
            numbers.tolist(), rows.labels, rows.predicted, confidence, strict=True
        )
    ]
    text = st.query_params.get(ROW, "")
    found = np.flatnonzero(numbers == (int(text) if text.isdecimal() else -1))
    chosen = int(found[0]) if len(found) else None
    key = f"map_{view.key}_{colour}_{chosen}"
    st.plotly_chart(
        map_figure(plane, groups, titles, colours, hover, chosen),
        key=key,
        on_select=partial(_take_click, key, numbers),
        selection_mode="points",
        config={"displayModeBar": False, "scrollZoom": True},
        alt="Map of the faces by the model's class token",
    )


def _take_click(key: str, numbers: NDArray[np.int64]) -> None:
    for point in st.session_state[key].selection.points:
        data = point.get("customdata")
        value = next(iter(data.values())) if isinstance(data, dict) else data
        value = value[0] if isinstance(value, list) else value
        if value is not None:
            put(ROW, str(numbers[int(value)]))
