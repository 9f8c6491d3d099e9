"""Robustness: accuracy under less light, blur, noise and seven more kinds of corruption."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fervt.amounts import points
from fervt.errors import DataError
from fervt.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from fervt.evaluation.robustness import (
    BREAKS,
    HOLDS,
    Point,
    Robustness,
    corruption_error,
    curves,
    describe_limits,
    labels_of_sample,
)
from fervt.examples import load_example
from fervt.figures.robustness import strength_figure
from fervt.predict import Predictor, cut_face
from fervt.ui.charts import say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.downloads import offer_file
from fervt.ui.evaluation.measured import robustness_of
from fervt.ui.evaluation.selection import EvaluationView, percent
from fervt.ui.text import as_text

FIGURES = {
    "accuracy": "Accuracy",
    "calibration": "Calibration error",
    "evidence": "Where it looks",
}
_SIDE_PX = 96
_EXAMPLE_BOX = (177, 66, 274, 163)
_EXAMPLE_HASH = "0123456789abcdef"


def show_holds_up(view: EvaluationView, predictor: Predictor) -> None:
    """Draws the curves, each with its limits in words and its strengths on one face."""
    found = robustness_of(view, predictor)
    if found is None:
        return
    labels = labels_of_sample(found, view.rows)
    try:
        by_kind = curves(found, labels)
        error = corruption_error(found, labels)
    except DataError as problem:
        st.info(as_text(problem))
        return
    counted = int((labels >= 0).sum())
    say(
        "Accuracy on corrupted images",
        f"{counted:,} faces of {view.evaluation.split}, sampled by label and corrupted in ten ways "
        f"at five strengths. Holds: loses at most {100 * HOLDS:.0f} points of accuracy. Breaks: "
        f"loses {100 * BREAKS:.0f} or more.",
    )
    if error is None:
        st.warning(
            f"{max(found.done - 1, 0)} of {10 * STRENGTHS} conditions are measured. Run the same "
            "command again to finish.",
            icon=":material/hourglass_bottom:",
        )
    else:
        with st.container(horizontal=True):
            st.metric("Accuracy, uncorrupted", percent(1 - error.clean))
            st.metric("Accuracy, corrupted", percent(1 - error.mean))
            st.metric(
                "Mean corruption error",
                percent(error.mean),
                points(error.relative),
                delta_color="off",
                help="Mean error over all kinds and strengths (Hendrycks and Dietterich, 2019, "
                "without their reference model), and how far it is above the error on "
                "uncorrupted faces.",
            )
    figure = pick_figure(found)
    with st.grid(min_column_width=300):
        for kind, curve in by_kind.items():
            with st.container(border=True):
                show_kind(kind, {view.evaluation.name: curve}, figure)
                st.caption(describe_limits(kind, curve))
                st.image(strip_of(kind), width="stretch", alt=f"One face, {kind} 0 to 5")
    offer_file(
        "Figures (.csv)",
        lambda: figures_table(by_kind).to_csv(index=False),
        f"{view.evaluation.name}-robustness.csv",
        "text/csv",
    )
    st.caption(
        "Bands are Wilson's 95% intervals; those of losses are paired, since the faces are the "
        "same. The face shown is NASA's portrait of Eileen Collins, which is not in the test set."
    )


def pick_figure(found: Robustness) -> str:
    """Draws the choice of what the curves show."""
    known = dict(FIGURES)
    if not np.isfinite(found.evidence).any():
        known.pop("evidence")
    return pick_one("Curves of", "curve", known, "accuracy", help=(
        "Where it looks: how similar GWA's weights are to those for the uncorrupted face (mean "
        "correlation over the 49 cells). For turns, shifts and zooms, weights that follow the "
        "face move too."))  # fmt: skip


def show_kind(kind: str, by_name: dict[str, list[Point]], figure: str) -> None:
    """Draws one corruption's curves, one per checkpoint."""
    about = CORRUPTIONS[kind]
    st.markdown(f"**{about.title}**")
    ticks = [about.tick(level) for level in range(STRENGTHS + 1)]
    keys = {
        "accuracy": ("accuracy", "low", "high"),
        "calibration": ("calibration_error",),
        "evidence": ("evidence",),
    }[figure]
    drawn = {}
    for name, curve in by_name.items():
        value, *ends = (np.array([getattr(p, key) for p in curve]) for key in keys)
        low, high = ends or (None, None)
        drawn[name] = value, low, high
    ranges = {"accuracy": (0.0, 1.0), "calibration": None, "evidence": (0.0, 1.02)}
    chart = strength_figure(
        ticks, drawn, percent=figure != "evidence", range_=ranges[figure]
    )  # fmt: skip
    said = "; ".join(f"{name}: {describe_limits(kind, curve)}" for name, curve in by_name.items())
    show_chart(chart, f"strength_{kind}", f"{about.title}. {said}")


@st.cache_data(show_spinner=False)
def strip_of(kind: str) -> NDArray[np.uint8]:
    """One face as it is and at the five strengths, side by side, (96, 576) uint8."""
    face = cut_face(load_example("astronaut"), _EXAMPLE_BOX)[None]
    shown = [face[0]]
    shown += [corrupt(face, [_EXAMPLE_HASH], kind, level)[0] for level in range(1, STRENGTHS + 1)]
    strip = np.concatenate(shown, axis=1)
    times = _SIDE_PX // face.shape[1]
    return strip.repeat(times, axis=0).repeat(times, axis=1)


def figures_table(by_kind: dict[str, list[Point]]) -> pd.DataFrame:
    """All points as a table, one row per condition."""
    return pd.DataFrame(
        [
            {
                "corruption": kind,
                "strength": CORRUPTIONS[kind].tick(point.level),
                "accuracy": round(point.accuracy, 4),
                "low": round(point.low, 4),
                "high": round(point.high, 4),
                "loss": round(point.loss, 4),
                "loss_low": round(point.loss_low, 4),
                "loss_high": round(point.loss_high, 4),
                "calibration_error": round(point.calibration_error, 4),
                "gwa_correlation": round(point.evidence, 4),
            }
            for kind, curve in by_kind.items()
            for point in curve
        ]
    )
