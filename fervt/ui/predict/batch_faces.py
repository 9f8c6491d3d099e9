"""The faces of many photos: how often each answer was given, and each face."""

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
from fervt.ui.certainty import explain_threshold, threshold_of
from fervt.ui.checkpoints import link_to_checkpoint
from fervt.ui.choices import pick_one
from fervt.ui.images import add_picture
from fervt.ui.navigation import leave_for, link_parameters

_GONE = "The checkpoint that read them isn't here; the one in the sidebar answers there."
_A_PAGE = 24
_THUMBNAIL_PX = 144
_ALL, _UNSURE = "all", "unsure"
_ORDERS = {"file": "In order", "sure": "Surest first", "unsure": "Least sure first"}


def show_faces(answers: Answers) -> None:
    """Draws how often each answer was given, and the faces with filters."""
    if not answers.faces:
        return
    name, sha256 = answers.checkpoint
    threshold = threshold_of(sha256)
    table = pd.read_csv(io.StringIO(answers.table))
    table = table[table["face"] > 0].reset_index(drop=True)
    classes = list(table.columns[len(START) :])
    shares = table[classes].to_numpy()
    said = table["label"].mask(shares.max(axis=1) < threshold, _UNSURE)
    counts = said.value_counts().to_dict()
    st.html(counts_html({c: counts.get(c, 0) for c in classes}, counts.get(_UNSURE, 0)))
    labeled = " The table labels them by their leading expression." if _UNSURE in counts else ""
    st.caption(explain_threshold(name, sha256) + labeled)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        present = {_UNSURE: "Unsure"} if _UNSURE in counts else {}
        present |= {c: expression(c).name for c in classes if c in counts}
        wanted = pick_one("Answer", "expression", {_ALL: "All"} | present, _ALL, draw=st.pills)
    with right:
        order = pick_one("Sort", "sort", _ORDERS, "file", draw=st.selectbox)
    picked = np.arange(len(answers.crops))
    if wanted != _ALL:
        picked = picked[(said[: len(picked)] == wanted).to_numpy()]
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
                (
                    answers.crops[at],
                    f"{table['file'][at]} face {table['face'][at]:.0f}.png",
                    sha256,
                ),
            )
    here = link_to_checkpoint(sha256)
    st.caption("Click a face to see why." if here else f"Click a face to see why. {_GONE}")
    if sum(answers.faces.values()) > KEPT_CROPS:
        st.caption(f"The first {KEPT_CROPS:,} faces; the table has all of them.")


def _thumbnail(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    large = cv2.resize(crop, (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_CUBIC)
    return cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]


def _explain(crop: NDArray[np.uint8], name: str, sha256: str) -> None:
    picture = add_picture(name, cv2.imencode(".png", crop)[1].tobytes())
    opened = link_parameters(image=picture.key, whole="1", face=None)
    leave_for("explain", opened | link_to_checkpoint(sha256))
