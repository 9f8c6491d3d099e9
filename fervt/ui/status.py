"""What is loaded, where it runs, and its accuracy, always with n and interval."""

import streamlit as st

from fervt.evaluation.metrics import Metrics
from fervt.evaluation.store import EvaluationStore
from fervt.evaluation.words import HUMAN_ACCURACY, LABEL_AGREEMENT, caveats, describe_interval
from fervt.labels import FER2013
from fervt.metrics import Scores
from fervt.predict import Predictor
from fervt.ui.checkpoints import is_own

HUMANS = (
    f"People reach {HUMAN_ACCURACY} on FER2013, and its labels agree with the majority of ten "
    f"later annotators on only {LABEL_AGREEMENT} of these images."
)


def show_status(predictor: Predictor) -> None:
    """Draws the checkpoint, its device and its accuracy on the held-out test split."""
    metrics = {} if is_own(predictor) else EvaluationStore().metrics(predictor.name)
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
            "Test accuracy",
            "–" if best is None else f"{best.standard.accuracy:.1%}",
            delta="not evaluated yet" if best is None else _interval(best.standard),
            delta_color="off",
            delta_arrow="off",
            border=True,
        )
    if best is not None:
        st.caption(_protocol(best))


def _interval(scores: Scores) -> str:
    return f"{describe_interval(scores)}, n = {scores.n:,}"


def _protocol(metrics: Metrics) -> str:
    truth, clean = metrics.truth, metrics.without_copies
    sentences = [HUMANS] if truth is FER2013 else []
    sentences += [
        f"{truth.title} PrivateTest, held out of training and selection, with its 95% interval.",
        f"{metrics.tta.standard.accuracy:.1%} when each face is also read mirrored.",
    ]
    if clean is not None:
        sentences.append(
            f"{clean.accuracy:.1%} without the images that also lie in earlier splits "
            f"(n = {clean.n:,})."
        )
    return " ".join([*sentences, *caveats(metrics, truth)])
