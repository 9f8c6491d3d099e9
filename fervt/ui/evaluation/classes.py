"""Class by class: precision, recall, F1, and the curves over every threshold."""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from fervt.evaluation.words import RECALL_AND_PRECISION
from fervt.figures.evaluation_bars import class_figure
from fervt.figures.evaluation_curves import threshold_figure
from fervt.figures.in_words import say_extremes
from fervt.ui.charts import say, show_chart
from fervt.ui.evaluation.selection import EvaluationView, percent


def show_classes(view: EvaluationView) -> None:
    """Draws the figures of each class and its two curves."""
    rows = view.rows
    table = pd.DataFrame({name: asdict(c) for name, c in rows.scores.per_class.items()}).T
    known = table.where(table["support"] > 0)  # a class without a face has no figures
    left, right = st.columns(2, gap="large")
    with left:
        say("Each class", RECALL_AND_PRECISION)
        show_chart(
            class_figure(
                rows.classes,
                *(known[name].to_numpy(float) for name in ("precision", "recall", "f1")),
            ),
            "classes",
            "; ".join(
                say_extremes(title, view.names, known[name].to_numpy(float), "{:.2f}".format)
                for name, title in (("f1", "F1"), ("precision", "Precision"), ("recall", "Recall"))
            ),
        )
    with right:
        say("The same as a table", "Support is how many faces have the label.")
        shown = pd.DataFrame(
            {
                "Class": view.names,
                **{
                    title: [percent(value) for value in table[name]]
                    for name, title in (("precision", "Precision"), ("recall", "Recall"))
                },
                "F1": table["f1"].round(3).to_numpy(),
                "Support": table["support"].astype(int).to_numpy(),
            }
        )
        st.dataframe(shown, hide_index=True, width="stretch", alt="Figures of each class")
        empty = shown.loc[shown["Support"] == 0, "Class"]
        if len(empty):
            st.caption(f"No face here is labeled {', '.join(empty)}: macro figures leave it out.")
    curves = {"roc": rows.roc, "pr": rows.precision_recall}
    left, right = st.columns(2, gap="large")
    titles = (
        (left, "ROC", "roc", "false-positive rate", "true-positive rate", "area under it"),
        (right, "Precision and recall", "pr", "recall", "precision", "average precision"),
    )
    for column, title, key, x, y, number in titles:
        with column:
            say(title, f"Each class against the rest; the number is the {number}.")
            found = dict(zip(rows.classes, curves[key], strict=True))
            drawn = {
                name: None if curve is None else (curve.x, curve.y, curve.area)
                for name, curve in found.items()
            }
            figure = threshold_figure(drawn, x, y, diagonal=key == "roc")
            areas = ", ".join(
                f"{name} {curve.area:.2f}"
                for name, curve in zip(view.names, curves[key], strict=True)
                if curve is not None
            )
            show_chart(figure, key, f"{title} of each class: {areas}")
