"""What is loaded, where it runs, and how good it is: with n and interval, or not at all."""

from typing import Any

import streamlit as st

from fervt.evaluation.store import headline, shipped_metrics
from fervt.labels import vocabulary
from fervt.predict import Predictor
from fervt.ui.checkpoints import is_own

HUMANS = (
    "People reach 65 ± 5% on FER2013, and its labels agree with the majority of ten later "
    "annotators on only 67% of these images."
)


def show_status(predictor: Predictor) -> None:
    """Draws the checkpoint, its device and its accuracy on the split it never saw."""
    metrics = {} if is_own(predictor) else shipped_metrics(predictor.name)
    best = metrics.get("PrivateTest")
    with st.grid(3, min_column_width=220):
        st.metric(
            "Checkpoint",
            predictor.name,
            delta=f"{len(predictor.classes)} expressions",
            delta_color="off",
            delta_arrow="off",
            border=True,
        )
        st.metric(
            "Runs on",
            "GPU" if predictor.device.type == "cuda" else "CPU",
            delta="no outside service",
            delta_color="off",
            delta_arrow="off",
            border=True,
        )
        st.metric(
            "Right on unseen faces",
            "–" if best is None else f"{headline(best)['accuracy']:.1%}",
            delta="not evaluated yet" if best is None else _interval(headline(best)),
            delta_color="off",
            delta_arrow="off",
            border=True,
        )
    if best is not None:
        st.caption(_protocol(headline(best), best["labels_seen"]))


def _interval(figures: dict[str, Any]) -> str:
    low, high = figures["accuracy_interval_95"]
    return f"{100 * low:.1f} to {high:.1%}, n = {figures['n']:,}"


def _protocol(figures: dict[str, Any], labels_seen: list[str]) -> str:
    sentences = [HUMANS] if figures["labels"] == "fer2013" else []
    sentences += [
        f"{vocabulary(figures['labels']).title} PrivateTest, used for this figure alone, "
        "with its 95% interval.",
        f"{figures['accuracy_flip_tta']:.1%} when each face is also read mirrored.",
    ]
    if figures["accuracy_without_copies"] is not None:
        sentences.append(
            f"{figures['accuracy_without_copies']:.1%} without the images that also lie in earlier "
            f"splits (n = {figures['n_without_copies']:,})."
        )
    if "ferplus" in labels_seen and figures["labels"] == "fer2013":
        sentences.append("Trained with FER+ votes too.")
    return " ".join(sentences)
