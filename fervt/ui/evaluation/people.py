"""Errors compared with the votes of FER+'s ten annotators."""

import numpy as np
import streamlit as st

from fervt.evaluation.words import PEOPLE
from fervt.figures.evaluation_bars import people_figure
from fervt.figures.in_words import say_people
from fervt.labels import FERPLUS
from fervt.metrics import PEOPLE_SIDE_WITH_MODEL
from fervt.ui.charts import say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.evaluation.selection import EvaluationView, percent
from fervt.ui.gallery import draw_faces, show_face_of
from fervt.ui.no_faces import invite_faces


def show_people(view: EvaluationView) -> None:
    """Draws how the errors split, and the faces of one part."""
    rows = view.rows
    sides = rows.people
    counts = [int((sides == side).sum()) for side in PEOPLE]
    if not rows.has_votes:
        st.info("These faces have no annotator votes.")
        return
    if view.truth is FERPLUS:
        st.info(
            "These labels are the majority of the same ten annotators, so they call every "
            "error an error. Under “Labels”, choose FER2013 to see whom the annotators side with."
        )
        return
    if not sum(counts):
        st.info("There are no errors among these faces.")
        return
    say(
        "Did people disagree, too?",
        f"{sum(counts):,} errors against {view.labels}, split by the majority of "
        "FER+'s ten annotators.",
    )
    titles = list(PEOPLE.values())
    show_chart(people_figure(counts, titles), "people", say_people(counts, titles))
    accepted = float((rows.right | (sides == PEOPLE_SIDE_WITH_MODEL)).mean())
    st.markdown(
        f"In {counts[0]:,} errors people agree with the label: these are the model's own. In "
        f"{counts[1]:,} they agree with the model. Counting those as right, "
        f"{percent(accepted)} of its answers match the label or the majority."
    )
    if view.faces is None:
        invite_faces("The faces of each part, with their votes,")
        return
    named = {str(side): title for side, title in PEOPLE.items()}
    side = pick_one("Show errors where", "people_side", named, str(PEOPLE_SIDE_WITH_MODEL))
    chosen = rows.select(sides == int(side))
    chosen = chosen.select(np.argsort(-chosen.calibrated.max(axis=1), kind="stable"))
    if not len(chosen):
        st.info("No faces match.")
        return
    show_face_of(view)
    names = view.names
    draw_faces(
        view.faces,
        chosen,
        "people",
        lambda at: f"{names[chosen.labels[at]]} → {names[chosen.predicted[at]]}",
    )
