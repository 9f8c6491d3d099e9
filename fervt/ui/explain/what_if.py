"""The Explain page's "What if": how the prediction moves when the face changes a little."""

import numpy as np
import streamlit as st

from fervt.amounts import points
from fervt.explain import CHANGES, WhatIf, what_if
from fervt.figures.curves import what_if_figure
from fervt.figures.in_words import say_leaders
from fervt.ui.address import bound
from fervt.ui.charts import say, show_chart
from fervt.ui.explain.selection import Cell, ExplainedFace, ask


def show_what_if(view: ExplainedFace) -> None:
    """Draws probability curves on demand, and the face at a chosen point of them."""
    say(
        "What if the face were a little different?",
        "How a change moves all probabilities. “Try all changes” computes it for this face.",
    )
    cell = view.cell or _strongest_cell(view)
    key = ("what if", cell)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = [each.title for each in CHANGES.values()]
        change = st.segmented_control(
            "Change",
            list(CHANGES),
            default="blur",
            required=True,
            key=bound("change", titles, CHANGES["blur"].title),
            bind="query-params",
            format_func=lambda name: CHANGES[name].title,
        )
        start = ask(view, "Try all changes", "what if")
    if start and key not in view.shelf:
        waiting = st.empty()
        with waiting.container(horizontal=True, vertical_alignment="center"):
            view.shelf[key] = _measure(view, cell)
        waiting.empty()
    if key in view.shelf:
        _show_curve(view, view.shelf[key][change], cell)


def _strongest_cell(view: ExplainedFace) -> Cell:
    drops = view.explanation.maps(view.target)["occlusion"]
    row, column = divmod(int(np.argmax(drops)), drops.shape[1])
    return row, column


def _measure(view: ExplainedFace, cell: Cell) -> dict[str, WhatIf]:
    bar = st.progress(0.0, "Changing the face", width=420)
    st.button("Stop", icon=":material/stop:")  # any click ends this run
    found = {}
    for done, change in enumerate(CHANGES):
        bar.progress(done / len(CHANGES), CHANGES[change].title)
        found[change] = what_if(view.predictor, view.explanation.trace.face, change, cell)
    return found


def _show_curve(view: ExplainedFace, found: WhatIf, cell: Cell) -> None:
    change = CHANGES[found.change]
    values = [float(value) for value in found.values]
    if change.apply is None:
        st.caption(f"The hidden cell is row {cell[0]}, column {cell[1]}; mark another to hide it.")
    value = st.select_slider(
        f"{change.title} ({change.unit})",
        values,
        value=change.neutral,
        format_func=lambda v: f"{v:g}",
        key=f"what_if_{found.change}",
    )
    index = values.index(value)
    curve, picture = st.columns([3, 1], gap="large")
    with curve:
        figure = what_if_figure(
            found.values,
            found.probabilities,
            view.vocabulary.display_names,
            view.vocabulary.colors,
            f"{change.title} ({change.unit})",
            chosen=value,
        )
        said = say_leaders(
            f"Probabilities over {change.title.lower()} ({change.unit})",
            [f"{v:g}" for v in values],
            view.vocabulary.display_names,
            found.probabilities,
        )
        show_chart(figure, "what_if", said)
    with picture:
        input_gray = found.inputs[index]
        times = max(1, 280 // input_gray.shape[0])
        enlarged = input_gray.repeat(times, axis=0).repeat(times, axis=1)
        st.image(enlarged, width=280, alt="The model's input after the change")
        score = view.target.score(found.probabilities[index])
        plain = view.target.score(view.explanation.trace.probabilities)
        st.metric(
            view.target_name,
            f"{score:.1%}",
            points(float(score - plain)),
            delta_color="off",
        )
