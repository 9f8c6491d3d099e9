"""Slices: how accuracy depends on measures of the picture, and the five worst slices."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fervt.evaluation.groups import rows_as_table
from fervt.evaluation.measures import MEASURES
from fervt.evaluation.slices import Slice, search_slices, slice_rows
from fervt.figures.in_words import list_values
from fervt.figures.slices import slice_figure
from fervt.predict import Predictor
from fervt.ui.charts import say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.downloads import offer_file
from fervt.ui.evaluation.measured import evidence_of, positions_of
from fervt.ui.evaluation.selection import EvaluationView, percent
from fervt.ui.gallery import show_gallery

_NONE = "none"


def show_slices(view: EvaluationView, predictor: Predictor) -> None:
    """Draws the worst slices, accuracy over one measure, and the faces of a chosen slice."""
    evidence = evidence_of(view, predictor)
    if evidence is None:
        return
    at = positions_of(view)
    measures = {name: values[at].astype(np.float64) for name, values in evidence.measures.items()}
    measures["confidence"] = view.rows.calibrated.max(axis=1)
    measures = {name: values for name, values in measures.items() if np.isfinite(values).any()}
    worst = view.evaluation.remember(
        ("worst slices", view.key),
        lambda: search_slices(evidence, view.rows),
    )
    overall = float(view.rows.right.mean())
    say(
        "The worst slices",
        f"The worst of {worst.tried:,} slices of at least 30 faces, by label and measures, one or "
        f"two at a time. Accuracy on all {len(view.rows):,} faces is {percent(overall)}. P-values "
        "(one-sided Fisher's exact test, Holm) and intervals are corrected for the number of "
        "slices. A combination is listed only if it is worse than the rest of each of its parts.",
    )
    if worst.slices:
        st.table(_table(worst.slices), border="horizontal", hide_index=True)
        if not any(each.is_clear for each in worst.slices):
            st.caption("No slice is significantly worse.")
    elif worst.tried:
        st.info("No slice is worse than the rest.")
    else:
        st.info("There are too few faces: a slice and the rest need 30 each.")
    name = pick_one(
        "Slice by",
        "slice_by",
        {key: MEASURES[key].title for key in measures},
        next(iter(measures)),
        draw=st.selectbox,
    )
    slices = slice_rows(name, measures[name], view.rows.right)
    if not slices:
        st.info("All faces have the same value here.")
        return
    say(
        f"Accuracy by {MEASURES[name].title.lower()}",
        "About as many faces in each; 95% intervals. The line is the overall accuracy.",
    )
    show_chart(
        slice_figure(
            [each.title for each in slices],
            [each.accuracy for each in slices],
            [(each.low, each.high) for each in slices],
            [each.n for each in slices],
            overall,
        ),
        f"slices_{name}",
        list_values(
            f"Accuracy by {MEASURES[name].title.lower()}",
            [each.title for each in slices],
            [each.accuracy for each in slices],
            percent,
        ),
    )
    _show_one(view, measures, [*worst.slices, *slices])


def _table(slices: tuple[Slice, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Faces": each.title[0].upper() + each.title[1:],
                "Accuracy": f"{percent(each.accuracy)} ({100 * each.low:.0f} to "
                f"{100 * each.high:.0f}%)",
                "n": f"{each.n:,}",
                "p, corrected": "below 0.001" if each.p_value < 0.001 else f"{each.p_value:.3f}",
            }
            for each in slices
        ]
    )


def _show_one(
    view: EvaluationView, measures: dict[str, NDArray[np.float64]], slices: list[Slice]
) -> None:
    titles = {_NONE: "None", **{str(i): each.title for i, each in enumerate(slices)}}
    picked = pick_one("Faces of a slice", "slice", titles, _NONE, draw=st.selectbox)
    if picked == _NONE:
        return
    chosen = slices[int(picked)]
    offer_rows(view, chosen.rows, measures, "slice")
    show_gallery(view, view.rows.select(chosen.rows))


def offer_rows(
    view: EvaluationView,
    rows: NDArray[np.bool_],
    measures: dict[str, NDArray[np.float64]],
    name: str,
) -> None:
    """Draws the download of some of the view's rows as CSV."""
    kept = {key: values[rows] for key, values in measures.items() if key != "confidence"}
    offer_file(
        f"{int(rows.sum()):,} rows (.csv)",
        lambda: rows_as_table(view.rows.select(rows), kept).to_csv(index=False),
        f"{view.evaluation.name}-{view.evaluation.split}-{name}.csv",
        "text/csv",
    )
