"""Is the new checkpoint better? Differences with intervals, a test, agreement."""

import pandas as pd
import streamlit as st

from fervt.amounts import with_range
from fervt.evaluation.comparison import outcomes
from fervt.evaluation.words import (
    describe_difference,
    describe_interval,
    describe_verdict,
    explain_mcnemar,
)
from fervt.figures.comparison import accuracy_figure, outcomes_figure
from fervt.figures.evaluation_confusion import agreement_figure
from fervt.figures.in_words import list_values, say_largest_cell
from fervt.labels import FER2013, FERPLUS
from fervt.metrics import Difference, prediction_agreement
from fervt.ui.charts import ink, say, show_chart
from fervt.ui.compare.selection import Comparison
from fervt.ui.evaluation.selection import percent


def show_verdict(comparison: Comparison) -> None:
    """Draws which checkpoint is better, in words, and by which labels."""
    first, *others = comparison.rows
    for name, rows, differences in zip(
        comparison.names[1:], others, comparison.differences, strict=True
    ):
        accuracies = first.scores.accuracy, rows.scores.accuracy
        verdict = describe_verdict(
            (comparison.names[0], name), accuracies, differences["accuracy"], comparison.truth
        )
        st.subheader(f"{verdict}.", anchor=False)
    st.markdown(" ".join(_about_the_labels(comparison)))


def _about_the_labels(comparison: Comparison) -> list[str]:
    count, title = len(comparison.rows[0]), comparison.truth.title
    sentences = [
        f"Measured on the {count:,} faces that all of them answered and that have a {title} label."
    ]
    if comparison.rule:
        sentences.append(comparison.rule)
    own = {
        name: evaluation.truth
        for name, evaluation in zip(comparison.names, comparison.evaluations, strict=True)
    }
    if comparison.truth is FERPLUS and FER2013 in own.values():
        tuned = [name for name, truth in own.items() if truth is FERPLUS]
        others = [name for name, truth in own.items() if truth is FER2013]
        if tuned:
            was = "was" if len(tuned) == 1 else "were"
            sentences.append(f"{' and '.join(tuned)} {was} tuned for these labels.")
        verb = "is" if len(others) == 1 else "are"
        sentences.append(
            f"On Evaluation, {' and '.join(others)} {verb} measured with FER2013's labels, which "
            "“Labels” chooses here, too."
        )
    return sentences


def show_figures(comparison: Comparison) -> None:
    """Draws accuracies with their intervals, the table, its meaning, and who is right alone."""
    scores = [rows.scores for rows in comparison.rows]
    show_chart(
        accuracy_figure(
            comparison.names,
            [each.accuracy for each in scores],
            [each.accuracy_interval_95 for each in scores],
        ),
        "accuracies",
        list_values(
            "Accuracy of each checkpoint",
            comparison.names,
            [each.accuracy for each in scores],
            percent,
        ),
    )
    st.table(_table(comparison), border="horizontal", hide_index=True)
    st.caption(
        f"Differences are relative to {comparison.names[0]}, with 95% intervals of the paired "
        "bootstrap over faces."
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
    say("Who is right on which faces?", "Shares of the same faces.")
    first, *others = comparison.rows
    pairs = [(comparison.names[0], name) for name in comparison.names[1:]]
    counts = [outcomes(first, rows) for rows in others]
    show_chart(
        outcomes_figure(pairs, counts),
        "outcomes",
        "; ".join(
            f"{pair[0]} alone is right on {alone:,} faces, {pair[1]} alone on {other:,}"
            for pair, (_, alone, other, _) in zip(pairs, counts, strict=True)
        ),
    )
    if len(others) > 1:
        say("Do they give the same answers?", "Share of faces with the same prediction.")
        shares = prediction_agreement([rows.predicted for rows in comparison.rows])
        figure = agreement_figure(shares, comparison.names, ink())
        names = comparison.names
        what = "Share of faces with the same prediction"
        said = say_largest_cell(what, names, names, shares, percent, diagonal=False)
        show_chart(figure, "agreement", said)


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
            f"Their classes differ: {', '.join(joined.left_out)} left out, the other "
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
    return with_range(value, low, high, f".{digits}f")
