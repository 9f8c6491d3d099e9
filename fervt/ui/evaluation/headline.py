"""How good it is: the few figures that people ask for first, each with what it is worth."""

import pandas as pd
import streamlit as st

from fervt.evaluation import references
from fervt.figures.evaluation_bars import standing_figure
from fervt.labels import FER2013
from fervt.reports.evaluation import standing
from fervt.ui.charts import show_chart
from fervt.ui.evaluation.selection import View, percent


def show_headline(view: View) -> None:
    """Draws the figures of the chosen rows, and the protocol behind them."""
    figures = view.rows.figures
    low, high = figures["accuracy_interval_95"]
    tiles = (
        ("Accuracy", percent(figures["accuracy"]), f"{100 * low:.1f} to {100 * high:.1f}%",
         "How often the most probable expression is the label; with its 95% interval (Wilson)."),
        ("Macro-F1", f"{figures['macro_f1']:.3f}", "class mean",
         "The mean over classes of F1, so that rare expressions count as much as frequent ones."),
        ("Calibration error", percent(figures["ece_calibrated"]),
         f"{percent(figures['ece'])} raw",
         "Expected calibration error: how far stated confidence lies from the share of right "
         "answers, in 15 bins, after the checkpoint's temperature; raw: before it."),
        ("Log loss", f"{figures['nll_calibrated']:.3f}",
         f"{figures['nll']:.3f} raw",
         "Negative log likelihood of the label in nats, after temperature; lower is "
         "better."),
        ("Faces", f"{figures['n']:,}", view.evaluation.split, "Rows that were scored."),
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
    st.caption(" ".join(protocol(view)))


def protocol(view: View) -> list[str]:
    """What one must know to read the figures, in sentences."""
    data = view.evaluation.metrics["data"]
    if view.evaluation.of_own_images:
        sentences = [f"The labels are {data['split_rule']}; data `{data['content_hash'][:12]}`."]
    else:
        sentences = [
            f"{view.truth.title} labels; split by {data['split_rule']}; data "
            f"`{data['content_hash'][:12]}`."
        ]
    if view.evaluation.split == "PublicTest":
        sentences.append(
            "**PublicTest was used to choose this checkpoint**, so its figures flatter; "
            "PrivateTest is the one to quote."
        )
    if (
        "ferplus" in view.evaluation.metrics["labels_seen"]
        and view.truth is FER2013
        and not view.evaluation.of_own_images
    ):
        sentences.append("**It was trained with FER+ votes too**, which plain FER2013 models lack.")
    return sentences


def show_standing(view: View) -> None:
    """Draws the four ways to count, and the result beside people and other tools."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Four ways to count**")
        st.table(_ways(view), border="horizontal", hide_index=True)
        st.caption(
            "Copies are test faces that also lie in an earlier split, pixel for pixel. Mirrored: "
            "averaged with the prediction for the mirrored face."
        )
    with right:
        _show_others(view)


def _ways(view: View) -> pd.DataFrame:
    lines = []
    for way, rows in view.evaluation.ways(view.truth):
        low, high = rows.figures["accuracy_interval_95"]
        accuracy = percent(rows.figures["accuracy"])
        lines.append(
            {
                "Rule": way,
                "Accuracy": f"{accuracy} ({100 * low:.1f} to {100 * high:.1f})",
                "F1": f"{rows.figures['macro_f1']:.3f}",
                "n": f"{len(rows):,}",
            }
        )
    return pd.DataFrame(lines)


def _show_others(view: View) -> None:
    st.markdown("**Beside people and other tools**")
    if view.truth is not FER2013 or view.evaluation.of_own_images:
        st.info("People and other tools were measured on FER2013's labels only.")
        return
    if view.evaluation.truth is not FER2013:
        st.info(
            "People and other tools were measured on all of FER2013's faces. Here are only those "
            "on which FER+'s annotators agree, which are easier."
        )
        return
    show_chart(
        standing_figure(*standing(view.evaluation.name, view.rows.figures)),
        "standing",
        "Accuracy of this checkpoint, of people and of other installable tools",
    )
    elsewhere = "" if view.evaluation.split == references.SPLIT else (
        f" The checkpoint's figure is on {view.evaluation.split}, theirs on {references.SPLIT}."
    )  # fmt: skip
    st.caption(
        f"People: {references.HUMAN_ACCURACY:.0%} ± {100 * references.HUMAN_SPREAD:.0f} "
        f"([Goodfellow et al., 2013]({references.HUMAN_SOURCE.split(', ')[-1]})). Tools as their "
        f"packages ship them, run by this project on {references.SPLIT}. Only "
        f"{references.LABEL_AGREEMENT:.0%} of that split's labels agree with the majority of ten "
        f"later annotators.{elsewhere}"
    )
