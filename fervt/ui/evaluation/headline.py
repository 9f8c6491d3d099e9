"""The headline figures, each with its uncertainty."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from fervt.evaluation import references
from fervt.evaluation.averaging import Averaging
from fervt.evaluation.summary import summarize
from fervt.evaluation.words import (
    HUMAN_ACCURACY,
    caveats,
    describe_interval,
    describe_tools,
    explain_ways,
)
from fervt.figures.evaluation_bars import standing_figure
from fervt.figures.in_words import list_values
from fervt.labels import FER2013
from fervt.predict import Predictor
from fervt.ui.charts import show_chart
from fervt.ui.evaluation.measured import five_crop_of
from fervt.ui.evaluation.present import offer_presenting
from fervt.ui.evaluation.selection import EvaluationView, find_averagings, percent
from fervt.ui.text import as_text


def show_headline(view: EvaluationView) -> None:
    """Draws the answer in words, then the figures of the chosen rows and their protocol."""
    first, *others = summarize(view.evaluation, view.rows, view.truth, view.rule)
    with st.container(horizontal=True):
        st.subheader(as_text(first), anchor=False)  # a stranger may have named the checkpoint
        offer_presenting()
    st.markdown(" ".join(others))
    if view.rule:
        st.caption(view.rule)
    scores = view.rows.scores
    tiles = (
        ("Accuracy", percent(scores.accuracy), describe_interval(scores),
         "How often the most probable expression is the label; with its 95% interval (Wilson)."),
        ("Macro-F1", f"{scores.macro_f1:.3f}", "class mean",
         "Mean F1 over classes, so that rare expressions count as much as frequent ones."),
        ("Calibration error", percent(scores.ece_calibrated),
         f"{percent(scores.ece)} raw",
         "Expected calibration error: how far stated confidence is from the share of right "
         "answers, in 15 bins, after the checkpoint's temperature; raw: before it."),
        ("Log loss", f"{scores.nll_calibrated:.3f}",
         f"{scores.nll:.3f} raw",
         "Negative log likelihood of the label in nats, after temperature; lower is "
         "better."),
        ("Faces", f"{scores.n:,}", view.evaluation.split, "Rows that were scored."),
    )  # fmt: skip
    with st.grid(5, min_column_width=150):
        for title, value, note, about in tiles:
            st.metric(
                title,
                value,
                delta=note,
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=about,
            )
    with st.expander("How this was measured", icon=":material/science:"):
        st.markdown(" ".join(protocol(view)))


def protocol(view: EvaluationView) -> list[str]:
    """What a reader needs to know about the figures, in sentences."""
    data = view.evaluation.metrics.data
    if view.evaluation.of_own_images:
        sentences = [f"The labels are {data.split_rule}; data `{data.content_hash[:12]}`."]
    else:
        sentences = [
            f"Measured against {view.labels}; split by {data.split_rule}; data "
            f"`{data.content_hash[:12]}`."
        ]
    return sentences + [f"**{said}**" for said in caveats(view.evaluation.metrics, view.truth)]


def show_standing(view: EvaluationView, predictor: Predictor) -> None:
    """Draws the ways to count, and how the result compares with people and other tools."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Ways to count**")
        table = st.empty()
        averagings, _ = find_averagings([view.evaluation])
        if "five-crop" not in averagings and view.info.preprocess.crop < 1:
            _offer_five_crops(view, predictor)
        with table.container():
            st.table(_ways(view, averagings), border="horizontal", hide_index=True)
            said = explain_ways(averagings)
            if view.labels_key:
                said += " Against the original labels, not the corrected ones."
            st.caption(said)
    with right:
        _show_others(view)


def _offer_five_crops(view: EvaluationView, predictor: Predictor) -> None:
    found = five_crop_of(view, predictor)
    if found is None:
        return
    own = replace(view.evaluation, _known={"five_crop": found})  # nobody else's to see
    scores = own.rows(averaging="five-crop", truth=view.truth).scores
    st.caption(
        f"Averaged over five crops, measured on your own file in this session: "
        f"{percent(scores.accuracy)} ({describe_interval(scores)}) of {scores.n:,} faces."
    )


def _ways(view: EvaluationView, averagings: Sequence[Averaging]) -> pd.DataFrame:
    lines = []
    for way, rows in view.evaluation.ways(view.truth, averagings):
        scores = rows.scores
        lines.append(
            {
                "Rule": way,
                "Accuracy": f"{percent(scores.accuracy)} ({describe_interval(scores)})",
                "F1": f"{scores.macro_f1:.3f}",
                "n": f"{len(rows):,}",
            }
        )
    return pd.DataFrame(lines)


def _show_others(view: EvaluationView) -> None:
    st.markdown("**Compared with people and other tools**")
    if view.truth is not FER2013 or view.evaluation.of_own_images or view.labels_key:
        st.info("People and other tools were measured against FER2013's own labels only.")
        return
    if view.evaluation.truth is not FER2013:
        st.info(
            "People and other tools were measured on all of FER2013's faces. These are only those "
            "on which FER+'s annotators agree, which are easier."
        )
        return
    if not view.evaluation.is_comparable:
        st.info("People and other tools are compared only on faces held out from the checkpoint.")
        return
    names, accuracies, *others = references.standing(view.evaluation.name, view.rows.scores)
    show_chart(
        standing_figure(names, accuracies, *others),
        "standing",
        list_values("Accuracy", names, accuracies, percent),
    )
    st.caption(
        f"People: {HUMAN_ACCURACY} ([Goodfellow et al., 2013]({references.HUMAN_URL})). "
        f"{describe_tools(view.evaluation.split)}"
    )
