"""The faces of many photos: how often each expression leads, and each face."""

import io

import cv2
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fervt.batch import KEPT_CROPS, Answers
from fervt.evaluation.certainty import say_prediction
from fervt.labels import expression
from fervt.table import START
from fervt.ui.bars import counts_html
from fervt.ui.cards import draw_card, draw_card_style
from fervt.ui.choices import pick_one
from fervt.ui.images import add_picture
from fervt.ui.navigation import leave_for, link_parameters

_A_PAGE = 24
_THUMBNAIL_PX = 144
_ALL = "all"
_ORDERS = {"file": "In order", "sure": "Surest first", "unsure": "Least sure first"}


def show_faces(answers: Answers, threshold: float) -> None:
    """Draws the distribution of the expressions, and the faces with filters.

    Args:
        answers: Of many photos.
        threshold: The confidence below which the checkpoint is unsure.
    """
    if not answers.faces:
        return
    table = pd.read_csv(io.StringIO(answers.table))
    table = table[table["face"] > 0].head(len(answers.crops)).reset_index(drop=True)
    classes = list(table.columns[len(START) :])
    st.html(counts_html({name: answers.faces[name] for name in classes}))
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        present = {name: expression(name).name for name in classes if answers.faces[name]}
        wanted = pick_one("Expression", "expression", {_ALL: "All"} | present, _ALL, draw=st.pills)
    with right:
        order = pick_one("Sort", "sort", _ORDERS, "file", draw=st.selectbox)
    shares = table[classes].to_numpy()
    picked = np.arange(len(table))
    if wanted != _ALL:
        picked = picked[(table["label"] == wanted).to_numpy()]
    if order != "file":
        confidence = shares[picked].max(axis=1)
        picked = picked[np.argsort(-confidence if order == "sure" else confidence, kind="stable")]
    pages = max(1, -(-len(picked) // _A_PAGE))
    page = 1
    if pages > 1:
        page = int(
            st.number_input(f"Page, of {pages}", 1, pages, key=f"batch_page_{wanted}_{order}")
        )
    draw_card_style()
    with st.grid(min_column_width=96, gap="small"):
        for at in picked[_A_PAGE * (page - 1) : _A_PAGE * page].tolist():
            draw_card(
                f"batch_{at}",
                _thumbnail(answers.crops[at]),
                say_prediction(shares[at], classes, threshold),
                _explain,
                (answers.crops[at], f"{table['file'][at]} face {table['face'][at]:.0f}.png"),
            )
    st.caption("Click a face to see why.")
    if sum(answers.faces.values()) > KEPT_CROPS:
        st.caption(f"The first {KEPT_CROPS:,} faces; the table has all of them.")


def _thumbnail(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    large = cv2.resize(crop, (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_CUBIC)
    return cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]


def _explain(crop: NDArray[np.uint8], name: str) -> None:
    picture = add_picture(name, cv2.imencode(".png", crop)[1].tobytes())
    leave_for("explain", link_parameters(image=picture.key, whole="1", face=None))
