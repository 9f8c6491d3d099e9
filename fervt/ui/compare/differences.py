"""Where checkpoints differ: classes, confusions, calibration, faces fixed and broken."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.amounts import points
from fervt.evaluation.rows import Rows
from fervt.evaluation.words import explain_f1
from fervt.figures.evaluation_bars import change_figure
from fervt.figures.evaluation_confusion import confusion_change_figure
from fervt.figures.evaluation_curves import reliability_figure, risk_figure
from fervt.figures.in_words import (
    say_extremes,
    say_largest_cell,
    say_reliability,
    say_risk,
)
from fervt.labels import expression
from fervt.metrics import Difference, compare_classes, reliability, risk_coverage
from fervt.ui.charts import ink, say, show_chart
from fervt.ui.compare.selection import Comparison, pick_other
from fervt.ui.dataset_faces import FaceBook
from fervt.ui.evaluation.selection import percent
from fervt.ui.gallery import draw_faces, show_one_face, table_of
from fervt.ui.no_faces import invite_faces
from fervt.ui.text import as_text


def show_classes(comparison: Comparison) -> None:
    """Draws the change of each class and of the confusion matrix."""
    base, *others = comparison.rows
    classes = base.classes
    changes = [
        compare_classes(base.labels, base.predicted, rows.predicted, len(classes))
        for rows in others
    ]
    left, right = st.columns(2, gap="large")
    with left:
        say("Each class", f"Change of F1 against {comparison.names[0]}, in points.")
        values = [_values(each, "value") for each in changes]
        figure = change_figure(
            classes,
            values,
            [(_values(each, "low"), _values(each, "high")) for each in changes],
            comparison.names[1:],
        )
        said = "; ".join(
            say_extremes(f"Change of F1, {name}", comparison.class_names, each, points)
            for name, each in zip(comparison.names[1:], values, strict=True)
        )
        show_chart(figure, "class_change", said)
        for name, rows in zip(comparison.names[1:], others, strict=True):
            if why := explain_f1(base.scores, rows.scores):
                st.caption(f"{as_text(name)}. {why}" if len(others) > 1 else why)
    with right:
        other = pick_other(comparison)
        say(
            "Confusion matrix",
            f"How much more often {comparison.names[other]} gives each answer than "
            f"{comparison.names[0]}, in points of each row. Good changes are red on the diagonal "
            "(more right answers) and blue off it (fewer mistakes).",
        )
        change = others[other - 1].scores.confusion_shares - base.scores.confusion_shares
        figure = confusion_change_figure(change, comparison.class_names, ink())
        titles = comparison.class_names
        what = "Difference of the confusion matrices, label to prediction"
        said = say_largest_cell(what, titles, titles, change, points)
        show_chart(figure, "confusion_change", said)


def _values(differences: Sequence[Difference], part: str) -> NDArray[np.float64]:
    return np.array([getattr(difference, part) for difference in differences])


def show_calibration(comparison: Comparison) -> None:
    """Draws reliability and risk against coverage for all checkpoints, calibrated."""
    pairs = list(zip(comparison.names, comparison.rows, strict=True))
    left, right = st.columns(2, gap="large")
    with left:
        say("Calibration", "With each checkpoint's own temperature; the diagonal is ideal.")
        bins = {name: reliability(rows.calibrated, rows.labels) for name, rows in pairs}
        drawn = {name: (b.confidence, b.accuracy, b.count) for name, b in bins.items()}
        show_chart(reliability_figure(drawn), "reliability_of_all", say_reliability(drawn))
        st.caption(" ".join(f"{name}: off by {percent(b.error)}." for name, b in bins.items()))
    with right:
        say("Answering only when sure", "Lower is better at any share of faces answered.")
        curves = {name: risk_coverage(rows.calibrated, rows.labels) for name, rows in pairs}
        lines = {name: (c.coverage, c.risk) for name, c in curves.items()}
        show_chart(risk_figure(lines), "risk_of_all", say_risk(lines))
        st.caption(" ".join(f"{name}: AURC {c.area:.3f}." for name, c in curves.items()))


def show_fixed_and_broken(comparison: Comparison, faces: FaceBook | None) -> None:
    """Draws the faces that one checkpoint classifies correctly and the other does not."""
    other = pick_other(comparison)
    base, new = comparison.rows[0], comparison.rows[other]
    name = comparison.names[other]
    kinds = (
        ("fixed", f"Fixed by {name}", ~base.right & new.right),
        ("broken", f"Broken by {name}", base.right & ~new.right),
    )
    pair = comparison.names[0], name
    split = comparison.evaluations[0].split
    if faces is None:
        invite_faces("The faces behind these tables")
    show_one_face(faces, comparison.rows, comparison.names, split)
    for column, (key, title, mask) in zip(st.columns(2, gap="large"), kinds, strict=True):
        with column:
            _show_kind(key, title, base.select(mask), new.select(mask), faces, pair)


def _show_kind(
    key: str, title: str, base: Rows, new: Rows, faces: FaceBook | None, pair: tuple[str, str]
) -> None:
    say(f"{title}: {len(new):,} faces", f"Label: what {pair[0]} says → what {pair[1]} says.")
    if not len(new):
        st.info("No faces match.")
        return
    order = np.argsort(-new.calibrated.max(axis=1), kind="stable")
    base, new = base.select(order), new.select(order)
    names = [expression(label).name for label in new.classes]
    if faces is None:
        table = table_of(new)[["Row", "Label"]]
        for who, rows in zip(pair, (base, new), strict=True):
            table[who] = [names[i] for i in rows.predicted[: len(table)]]
        alt = f"What {' and '.join(pair)} say of these faces"
        st.dataframe(table, hide_index=True, width="stretch", key=f"table_{key}", alt=alt)
        return
    draw_faces(
        faces,
        base,  # whose row numbers find a face in the address
        key,
        lambda at: (
            f"{names[new.labels[at]]}: {names[base.predicted[at]]} → {names[new.predicted[at]]}"
        ),
        columns_px=120,
        a_page=8,
    )
