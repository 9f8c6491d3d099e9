"""The confusion matrix, and the faces in the selected cell."""

from functools import partial

import numpy as np
import streamlit as st

from fervt.evaluation.rows import Rows
from fervt.evaluation.words import PEOPLE, worst_mistakes
from fervt.figures.evaluation_bars import people_figure
from fervt.figures.evaluation_confusion import confusion_figure
from fervt.figures.in_words import say_mistakes, say_people
from fervt.labels import FERPLUS
from fervt.ui.address import put, wanted
from fervt.ui.charts import ink, say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.clicks import clicked
from fervt.ui.evaluation.selection import EvaluationView, percent
from fervt.ui.gallery import show_gallery
from fervt.ui.script import run_script

LABEL, PREDICTED = "label", "predicted"
ANY = "any"
_MOST_FREQUENT = 5
_FACES = "faces_of_cell"
_CHOSEN = "cells_chosen"


def show_mistakes(view: EvaluationView) -> None:
    """Draws the matrix, the ways to choose a cell of it, and its faces."""
    label, predicted = wanted_cell(view)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_matrix(view, label, predicted)
    with right:
        _show_most_frequent(view)
    with st.container(key=_FACES):
        _show_faces(view, label, predicted)
    if (times := st.session_state.get(_CHOSEN, 0)) > 0:
        run_script("bring_into_view", {"place": f".st-key-{_FACES}", "times": times})


def _show_faces(view: EvaluationView, label: str, predicted: str) -> None:
    chosen = view.rows.select(in_cell(view.rows, label, predicted))
    st.subheader(describe_cell(view, label, predicted, len(chosen)), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = {ANY: "Any", **dict(zip(view.rows.classes, view.names, strict=True))}
        pick_one("Label", LABEL, titles, ANY, draw=st.selectbox)
        pick_one(
            "Prediction", PREDICTED, {**titles, "wrong": "Wrong"}, ANY, draw=st.selectbox
        )  # fmt: skip
        if label != ANY or predicted != ANY:
            st.button("Show all", icon=":material/close:", on_click=_clear)
    if not len(chosen):
        st.info("No faces match.")
        return
    if view.truth is not FERPLUS:
        _show_people(chosen)
    show_gallery(view, chosen)


def wanted_cell(view: EvaluationView) -> tuple[str, str]:
    """The choice in the address: label and prediction, each a class or "any" (or "wrong")."""
    options = (ANY, *view.rows.classes)
    return wanted(LABEL, options, ANY), wanted(PREDICTED, (*options, "wrong"), ANY)


def in_cell(rows: Rows, label: str, predicted: str) -> np.ndarray:
    """Mask (N,) of the rows with a label and a prediction."""
    mask = np.ones(len(rows), bool)
    if label != ANY:
        mask &= rows.labels == rows.classes.index(label)
    if predicted == "wrong":
        mask &= ~rows.right
    elif predicted != ANY:
        mask &= rows.predicted == rows.classes.index(predicted)
    return mask


def describe_cell(view: EvaluationView, label: str, predicted: str, count: int) -> str:
    """How many faces are shown, and which."""
    names = dict(zip(view.rows.classes, view.names, strict=True))
    what = "faces" if label == ANY else f"faces labeled {names[label]}"
    if predicted == ANY:
        return f"{count:,} {what}"
    if predicted == "wrong":
        return f"{count:,} {what}, taken for something else"
    return f"{count:,} {what}, taken for {names[predicted]}"


def _show_matrix(view: EvaluationView, label: str, predicted: str) -> None:
    there = "list its answers" if view.faces is None else "see its faces"
    say("Confusion matrix", f"Rows are labels, columns predictions. Click a cell to {there}.")
    kind = pick_one(
        "Numbers", "matrix", {"shares": "Shares of a row", "counts": "Counts"}, "shares"
    )
    classes = view.rows.classes
    marked = None
    if label in classes and predicted in classes:
        marked = (classes.index(label), classes.index(predicted))
    figure = confusion_figure(
        np.array(view.rows.scores.confusion),
        view.names,
        as_shares=kind == "shares",
        marked=marked,
        ink=ink(),
    )
    # A new key for each marked cell drops the chart's own selection, so that it can be clicked
    # again after another one.
    key = f"confusion_{view.key}_{marked}"
    said = say_mistakes(view.names, view.rows.scores.confusion_shares)
    show_chart(
        figure,
        key,
        f"{said}. The choices below it select the same cells.",
        on_select=partial(_take_click, key, classes),
        selection_mode="points",
    )


def _take_click(key: str, classes: tuple[str, ...]) -> None:
    for values in clicked(key):
        if len(values) >= 2:
            _choose(classes[int(values[0])], classes[int(values[1])])


def _choose(label: str, predicted: str) -> None:
    st.session_state[_CHOSEN] = st.session_state.get(_CHOSEN, 0) + 1
    put(LABEL, label)
    put(PREDICTED, predicted)
    put("page", None)


def _clear() -> None:
    put(LABEL, None)
    put(PREDICTED, None)
    put("page", None)


def _show_most_frequent(view: EvaluationView) -> None:
    say("Most frequent mistakes", "Shares are of all faces with that label.")
    classes = dict(zip(view.names, view.rows.classes, strict=True))
    for mistake in worst_mistakes(view.rows.scores, _MOST_FREQUENT):
        label, answer = classes[mistake.label], classes[mistake.answer]
        st.button(
            f"{mistake.label} → {mistake.answer}: {mistake.count:,} "
            f"({percent(mistake.count / mistake.support, 0)})",
            key=f"mistake_{label}_{answer}",
            on_click=_choose,
            args=(label, answer),
            width="stretch",
        )


def _show_people(chosen: Rows) -> None:
    if not chosen.has_votes:
        return
    sides = chosen.people
    counts = [int((sides == side).sum()) for side in PEOPLE]
    if sum(counts):
        st.caption(
            f"Its {sum(counts):,} errors, compared to the majority of ten later annotators (FER+):"
        )
        show_chart(
            people_figure(counts, list(PEOPLE.values())),
            "people_of_cell",
            say_people(counts, list(PEOPLE.values())),
        )
