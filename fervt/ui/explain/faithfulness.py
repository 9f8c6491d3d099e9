"""The Explain page's faithfulness tests: do the maps show what the model uses and has learned?"""

from typing import Any

import pandas as pd
import streamlit as st

from fervt.amounts import signed, with_range
from fervt.explain import (
    SOURCES,
    Faithfulness,
    Target,
    explain_face,
    measure_faithfulness,
    rank_correlations,
    untrained_twin,
)
from fervt.explain.faithfulness_table import read_table
from fervt.figures.curves import faithfulness_figure
from fervt.figures.gains import Gain, gain_figure
from fervt.figures.in_words import list_values, say_map
from fervt.figures.overlay import overlay_figure
from fervt.reports.explanation import overlay_options
from fervt.ui.charts import say, show_chart
from fervt.ui.explain.selection import ExplainedFace, ask

_STEPS = {7: "Quick: seven cells a step", 1: "Exact: cell by cell"}
_CLEARLY = 2.0  # standard deviations of random orders


def show_faithfulness(view: ExplainedFace) -> None:
    """Draws curves on demand, the untrained twin, and the results over many faces."""
    _show_curves(view)
    st.divider()
    _show_twin(view)
    st.divider()
    _show_many_faces(view)


def _show_curves(view: ExplainedFace) -> None:
    say(
        "Deletion and insertion",
        "Cells are hidden, or revealed on a gray square, in each map's order. A faithful map makes "
        f"the {view.score_name} fall or rise earlier than random orders do. This "
        "is evidence, not proof: in training, a face had at most one erased rectangle.",
        "faithfulness",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        step = st.selectbox("Precision", list(_STEPS), format_func=_STEPS.__getitem__, width=260)
        key = _place(view, step)
        start = ask(view, "Measure against 20 random orders", "faithfulness")
    if start and key not in view.shelf:
        waiting = st.empty()
        with waiting.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, "Hiding and revealing cells", width=420)
            st.button("Stop", icon=":material/stop:")  # any click ends this run
        view.shelf[key] = measure_faithfulness(
            view.predictor,
            view.explanation.trace.face,
            view.explanation.maps(view.target),
            view.target,
            cells_per_step=step,
            progress=lambda share: bar.progress(share, "Hiding and revealing cells"),
        )
        st.rerun()  # the sentence at the top of the page says which map did best
    if key in view.shelf:
        _show_scores(view.shelf[key], view.target.unit)


def _place(view: ExplainedFace, step: int) -> tuple[str, Target, int]:
    """Of a measurement on the face's shelf."""
    return "faithfulness", view.target, step


def measured_of(view: ExplainedFace) -> Faithfulness | None:
    """What was measured on this face, the finest steps first; None before it was asked for."""
    found = (view.find(_place(view, step)) for step in sorted(_STEPS))
    return next((measured for measured in found if measured is not None), None)


def say_best(measured: Faithfulness) -> str:
    """Which map did best on one face, in a sentence."""
    scores = measured.scores()
    if not any(max(each.deletion_z, each.insertion_z) > _CLEARLY for each in scores):
        return "On this face, none of them does clearly better than random orders."
    first = SOURCES[min(scores, key=lambda each: each.deletion_area).source].inline
    second = SOURCES[max(scores, key=lambda each: each.insertion_area).source].inline
    if first == second:
        return f"On this face, {first} does best in deletion and insertion."
    return f"On this face, {first} does best in deletion and {second} in insertion."


def _show_scores(measured: Faithfulness, unit: str) -> None:
    figure = faithfulness_figure(
        measured.shares,
        {SOURCES[key].title: values for key, values in measured.deletion.items()},
        {SOURCES[key].title: values for key, values in measured.insertion.items()},
        measured.random_deletion,
        measured.random_insertion,
        unit,
    )
    scores = measured.scores()
    titles = [SOURCES[score.source].title for score in scores]
    areas = (
        ("Area under deletion, lower is better", [score.deletion_area for score in scores]),
        ("area under insertion, higher is better", [score.insertion_area for score in scores]),
    )
    said = "; ".join(list_values(what, titles, each, "{:.2f}".format) for what, each in areas)
    show_chart(figure, "faithfulness", said)
    rows = [
        {
            "map": SOURCES[score.source].title,
            "deletion area": score.deletion_area,
            "deletion z": round(score.deletion_z, 1) + 0.0,  # not -0.0
            "insertion area": score.insertion_area,
            "insertion z": round(score.insertion_z, 1) + 0.0,
            "on this face": _judge(score.deletion_z, score.insertion_z),
        }
        for score in scores
    ]
    numbers = {}
    for side in ("deletion", "insertion"):
        numbers[f"{side} area"] = st.column_config.NumberColumn(format="%.3f")
        numbers[f"{side} z"] = st.column_config.NumberColumn(format="%.1f")
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=numbers, alt="Scores")
    st.caption(
        "z counts the standard deviations by which a map does better (above 0) or worse than "
        "random orders; within ±2 it cannot be told from chance."
    )


def _judge(*scores: float) -> str:
    if all(score > _CLEARLY for score in scores):
        return "better than random"
    if any(score > _CLEARLY for score in scores):
        return "better in one of two"
    return (
        "worse than random"
        if all(score < -_CLEARLY for score in scores)
        else "no better than random"
    )


def _show_twin(view: ExplainedFace) -> None:
    say(
        "Randomized weights",
        "The same map from an untrained twin: same architecture, random weights. If it looks the "
        "same, it shows the picture, not what was learned.",
    )
    maps = view.explanation.maps(view.target)
    key = st.segmented_control(
        "Map",
        list(maps),
        format_func=lambda name: SOURCES[name].title,
        default=next(iter(maps)),
        required=True,
        label_visibility="collapsed",
    )
    if "twin" not in view.shelf:
        offer = st.empty()
        with offer.container():
            if not ask(view, "Compare with an untrained twin", "twin", primary=False):
                return
        twin = untrained_twin(view.predictor)
        view.shelf["twin"] = explain_face(twin, view.explanation.trace.face)
        offer.empty()
    untrained = view.shelf["twin"].maps(view.target)
    alike = rank_correlations({"trained": maps[key], "untrained": untrained[key]})[0, 1]
    for column, name, values in zip(
        st.columns(2, gap="large"),
        ("Trained", "Untrained twin"),
        (maps[key], untrained[key]),
        strict=True,
    ):
        with column:
            st.caption(name)
            figure = overlay_figure(
                view.seen, values, **overlay_options(key, values), cell=view.cell, height_px=320
            )
            said = say_map(f"{SOURCES[key].title}, {name}", values, "{:.2f}".format)
            show_chart(figure, f"twin_{name}", said)
    st.caption(f"Rank correlation of the two maps: **{alike:z.2f}** (1 would be the same order).")


def _show_many_faces(view: ExplainedFace) -> None:
    table = read_table(view.predictor.sha256)
    say("Over many faces", "One face can mislead; this was measured beforehand.")
    if table is None:
        st.info(
            "This checkpoint hasn't been measured over many faces yet; run "
            "`python -m scripts.faithfulness`.",
        )
        return
    sources = table["sources"]
    titles = [SOURCES[key].title for key in sources]
    gains = {
        side.title(): {
            "over random orders": [_gain(row, side) for row in sources.values()],
            "over its own mean map": [
                _gain(row["over_mean_map"], side) for row in sources.values()
            ],
        }
        for side in ("deletion", "insertion")
    }
    said = "; ".join(
        list_values(f"{side}, gain {other}", titles, [gain for gain, _, _ in row], _signed)
        for side, compared in gains.items()
        for other, row in compared.items()
    )
    show_chart(gain_figure(titles, gains), "many_faces", said)
    st.caption(
        f"Means over {table['faces']} {table['split']} faces with their 95% intervals; "
        f"{table['random_orders']} random orders a face, {table['cells_per_step']} cells a step. "
        "The gain is the difference of the areas under the curves, in mean probability; above 0, "
        "the map's order is better. A mean map is the same for every face: what a map gains over "
        "it comes from the single face (for Grad-CAM and occlusion, also from its class)."
    )
    with st.expander("Numbers", icon=":material/table:"):
        rows = [
            {"map": title, "order": f"{side.lower()}, {other}", "gain (95% interval)": _say(gain)}
            for side, compared in gains.items()
            for other, row in compared.items()
            for title, gain in zip(titles, row, strict=True)
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Gains over many faces")


def _signed(gain: float) -> str:
    return signed(gain, ".3f")


def _say(gain: Gain) -> str:
    return with_range(*gain, ".3f")


def _gain(row: dict[str, Any], side: str) -> Gain:
    low, high = row[f"{side}_interval_95"]
    return row[f"{side}_gain"], low, high
