"""Confidence: whether it is calibrated, and what selective prediction gains."""

import streamlit as st

from fervt.evaluation.words import DIAGONAL
from fervt.figures.evaluation_curves import reliability_figure, risk_figure
from fervt.figures.in_words import say_reliability, say_risk
from fervt.metrics import (
    Reliability,
    negative_log_likelihood,
    reliability,
    rescale,
    risk_coverage,
)
from fervt.ui.certainty import explain_threshold, threshold_of
from fervt.ui.charts import say, show_chart
from fervt.ui.evaluation.selection import EvaluationView, percent

_NO_MATTER = 0.01  # of a temperature, from 1


def show_confidence(view: EvaluationView) -> None:
    """Draws calibration with a temperature to try, and risk against coverage."""
    left, right = st.columns(2, gap="large")
    with left:
        _show_reliability(view)
    with right:
        _show_risk(view)


def _show_reliability(view: EvaluationView) -> None:
    rows = view.rows
    say("Calibration", DIAGONAL)
    start = round(min(max(rows.temperature, 0.3), 3.0), 2)
    temperature = st.slider(
        "Temperature",
        0.3,
        3.0,
        start,
        0.01,
        key=f"temperature_{view.evaluation.name}",
        help="Logits are divided by it: above 1 makes the model less sure, below 1 surer. The "
        f"checkpoint's own, fitted on PublicTest, is {rows.temperature:.2f}.",
    )
    own = temperature == start  # the slider rounds
    exact = rows.temperature if own else temperature
    if own and abs(exact - 1) < _NO_MATTER:
        st.caption(f"The checkpoint's own temperature is {exact:.3f}: nothing had to be corrected.")
    shown = {
        "as trained (temperature 1)": rows.probabilities,
        f"temperature {exact:.2f}": rescale(rows.probabilities, exact),
    }
    bins = {name: reliability(values, rows.labels) for name, values in shown.items()}
    drawn = {name: _triple(found) for name, found in bins.items()}
    show_chart(reliability_figure(drawn), "reliability", say_reliability(drawn))
    st.caption(
        " ".join(
            f"{name.capitalize()}: calibration error {percent(bins[name].error)}, log loss "
            f"{negative_log_likelihood(values, rows.labels):.3f}."
            for name, values in shown.items()
        )
    )


def _triple(found: Reliability) -> tuple:
    return found.confidence, found.accuracy, found.count


def _show_risk(view: EvaluationView) -> None:
    rows = view.rows
    about = view.evaluation.metrics.checkpoint
    say(
        "Answer only when sure",
        explain_threshold(about.name, about.sha256, view.evaluation),
        "unsure",
    )
    curve = risk_coverage(rows.calibrated, rows.labels)
    threshold = st.slider(
        "Minimum confidence for an answer",
        0,
        100,
        round(100 * threshold_of(about.sha256, view.evaluation)),
        1,
        format="%d%%",
        key=f"threshold_{about.sha256}",
        help="Starts where the checkpoint's answers are called unsure on the other pages.",
    )
    coverage, risk = curve.at(threshold / 100)
    drawn = {view.evaluation.name: (curve.coverage, curve.risk)}
    figure = risk_figure(drawn, None if risk is None else (coverage, risk))
    show_chart(figure, "risk", say_risk(drawn))
    if risk is None:
        st.caption(f"At {threshold}% it gives no answer at all.")
    else:
        st.caption(
            f"At {threshold}% it answers for {percent(coverage)} of the faces and is right in "
            f"**{percent(1 - risk)}** of them. Area under the curve (AURC): {curve.area:.3f}."
        )
