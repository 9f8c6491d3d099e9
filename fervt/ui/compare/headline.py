"""Is the new checkpoint better? Differences with intervals, a test, agreement."""

import pandas as pd
import streamlit as st

from fervt.evaluation.words import describe_difference, describe_interval, explain_mcnemar
from fervt.figures.evaluation_confusion import agreement_figure
from fervt.labels import FER2013
from fervt.metrics import Difference, prediction_agreement
from fervt.ui.charts import ink, say, show_chart
from fervt.ui.compare.selection import Comparison
from fervt.ui.evaluation.selection import percent


def show_figures(comparison: Comparison) -> None:
    """Draws the table, its meaning in words, and how often the checkpoints agree."""
    st.table(_table(comparison), border="horizontal", hide_index=True)
    st.caption(
        f"Differences are to {comparison.names[0]}, with 95% intervals of the paired bootstrap "
        "over faces."
    )
    for name, differences, test in zip(
        comparison.names[1:], comparison.differences, comparison.tests, strict=True
    ):
        st.markdown(
            f"**{name}**: accuracy {describe_difference(differences['accuracy'])} "
            f"{explain_mcnemar(test, comparison.names[0], name)}"
        )
    for sentence in notes(comparison):
        st.caption(sentence)
    say("Do they give the same answers?", "Share of faces with the same prediction, right or not.")
    shares = prediction_agreement([rows.predicted for rows in comparison.rows])
    show_chart(
        agreement_figure(shares, comparison.names, ink()), "agreement", "Agreement of predictions"
    )


def notes(comparison: Comparison) -> list[str]:
    """How many faces match, which classes are common, and who saw which labels."""
    joined = comparison.joined
    matched = len(comparison.rows[0])
    found = [
        f"{matched:,} of {joined.longest:,} faces ({percent(matched / joined.longest)}) were "
        "joined, by the SHA-256 of their pixels."
    ]
    if matched < joined.longest:
        found.append("The others lack an answer or a label in at least one of the evaluations.")
    if joined.left_out:
        found.append(
            f"Their classes differ: without {', '.join(joined.left_out)}, and with the other "
            "probabilities renormalized."
        )
    seen = [
        name
        for name, evaluation in zip(comparison.names, comparison.evaluations, strict=True)
        if evaluation.metrics.saw_votes
    ]
    if seen and comparison.truth is FER2013:
        found.append(f"{', '.join(seen)} saw FER+ votes in training.")
    return found


def _table(comparison: Comparison) -> pd.DataFrame:
    lines = []
    for index, (name, rows) in enumerate(zip(comparison.names, comparison.rows, strict=True)):
        scores = rows.scores
        differences = comparison.differences[index - 1] if index else {}
        lines.append(
            {
                "Checkpoint": name,
                "Accuracy": f"{percent(scores.accuracy)} ({describe_interval(scores)})",
                "Difference in points": _points(differences.get("accuracy"), 100, 1),
                "Macro-F1": f"{scores.macro_f1:.3f}",
                "Difference": _points(differences.get("macro_f1"), 1, 3),
                "Calibration error": percent(scores.ece_calibrated),
                "Log loss": f"{scores.nll_calibrated:.3f}",
                "n": f"{scores.n:,}",
            }
        )
    return pd.DataFrame(lines)


def _points(difference: Difference | None, scale: int, digits: int) -> str:
    if difference is None:
        return "–"
    value, low, high = (scale * x for x in (difference.value, difference.low, difference.high))
    return f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
