"""The embedding map: each face placed by the model's class token."""

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.amounts import percent
from fervt.data.prepared import SIDE_PX
from fervt.errors import DataError
from fervt.evaluation.rows import Rows
from fervt.figures.evaluation_map import map_figure
from fervt.labels import expression
from fervt.predict import Predictor
from fervt.ui.address import put, read
from fervt.ui.charts import say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.clicks import clicked
from fervt.ui.dataset_faces import SHEET_COLUMNS, FaceBook
from fervt.ui.evaluation.map_selection import show_selection
from fervt.ui.evaluation.measured import MAP_ROWS, drop_selection, selected_in_map
from fervt.ui.evaluation.selection import EvaluationView
from fervt.ui.gallery import ROW, show_face_of
from fervt.ui.script import run_script
from fervt.ui.text import as_text

_MOST_TSNE_ROWS = 8_000
_MOST_POINTS = 8_000  # more are slow to draw and overlap
_ERROR_COLOURS = ("#56B4E9", "#D55E00")
_SHOWN_PX = 2 * SIDE_PX


def show_map(view: EvaluationView, predictor: Predictor) -> None:
    """Draws the map; hovering shows a point's face, a click its details, a lasso its group."""
    look = "" if view.faces is None else ", click a point to see its face below,"
    say(
        "Embedding map",
        "One point per face, placed by its class token, which the expression is read from. Scroll "
        f"to zoom{look} or select a group with lasso or box.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = pick_one(
            "Layout",
            "layout",
            {"pca": "PCA", "tsne": "t-SNE"},
            "pca",
            help="PCA: the two directions of most variance. t-SNE keeps neighbors together; "
            "distances between groups mean little.",
        )
        color = pick_one(
            "Color by",
            "color",
            {"label": "Label", "prediction": "Prediction", "error": "Right or wrong"},
            "label",
        )
        drag = pick_one(
            "Drag to",
            "drag",
            {"pan": "Move", "lasso": "Lasso", "select": "Box"},
            "pan",
            help="Lasso and box select faces: their figures, where the model looks on them, and "
            f"{'their answers' if view.faces is None else 'the faces themselves'} appear below.",
        )
    if method == "tsne" and len(view.evaluation.plain) > _MOST_TSNE_ROWS:
        st.info(f"t-SNE is offered for up to {_MOST_TSNE_ROWS:,} faces; this is PCA.")
        method = "pca"
    with st.spinner("Laying out the faces"):
        try:
            plane = view.evaluation.layout("tsne" if method == "tsne" else "pca")
        except DataError as error:
            st.info(as_text(error))
            return
    rows = view.rows
    every = view.evaluation.plain.index.to_numpy()
    plane = plane[np.searchsorted(every, rows.table.index.to_numpy())]
    if len(rows) > _MOST_POINTS:
        st.caption(f"{_MOST_POINTS:,} of the {len(rows):,} faces, sampled at random.")
        drawn = np.random.default_rng(0).choice(len(rows), _MOST_POINTS, replace=False)
        rows, plane = rows.select(np.sort(drawn)), plane[np.sort(drawn)]
    _draw(view, rows, plane, color, drag)
    selected = selected_in_map(view)
    if selected is not None:
        show_selection(view, predictor, selected)
    else:
        show_face_of(view)  # below: above, it would push the map away from the pointer
    if view.faces is not None:
        _draw_sheet(view.faces, rows)


def _draw_sheet(faces: FaceBook, rows: Rows) -> None:
    with st.container(key="face_sheet"):
        st.image(faces.sheet(rows.table["image_sha256"].tolist()), output_format="JPEG", alt="")
    hidden = "<style>.st-key-face_sheet { display: none; }</style>"
    run_script("face_at_pointer", {"columns": SHEET_COLUMNS, "side": _SHOWN_PX}, hidden)


def _draw(
    view: EvaluationView, rows: Rows, plane: NDArray[np.float32], color: str, drag: str
) -> None:
    names = view.names
    colors: tuple[str, ...]
    if color == "error":
        groups, titles, colors = (~rows.right).astype(int), ["Right", "Wrong"], _ERROR_COLOURS
    else:
        groups = rows.labels if color == "label" else rows.predicted
        titles, colors = names, tuple(expression(label).color for label in rows.classes)
    numbers = rows.table["row"].to_numpy()
    confidence = rows.calibrated.max(axis=1)
    hover = [
        f"row {number}<br>labeled {names[label]}<br>taken for {names[answer]}, {percent(sure)}"
        for number, label, answer, sure in zip(
            numbers.tolist(), rows.labels, rows.predicted, confidence, strict=True
        )
    ]
    found = np.flatnonzero(numbers.astype(str) == read(ROW))
    chosen = int(found[0]) if len(found) else None
    key = f"map_{view.key}_{color}_{drag}_{chosen}"
    with st.container(key="face_map"):
        show_chart(
            map_figure(plane, groups, titles, colors, hover, chosen, drag),
            key,
            f"Map of {len(rows):,} faces by the model's class token. Colors: "
            + ", ".join(
                f"{title} {count:,}"
                for title, count in zip(
                    titles, np.bincount(groups, minlength=len(titles)).tolist(), strict=True
                )
            ),
            scroll_zoom=True,
            on_select=partial(_take_points, key, numbers, view.evaluation.digest, drag),
            selection_mode=("points", "lasso", "box"),
        )


def _take_points(key: str, numbers: NDArray[np.int64], digest: str, drag: str) -> None:
    chosen = [int(value) for value, *_ in clicked(key)]
    if drag == "pan":
        for value in chosen:
            put(ROW, str(numbers[value]))
    elif chosen:
        st.session_state[MAP_ROWS] = digest, numbers[np.array(chosen)]
        put("page", None)
    else:
        drop_selection()
