"""How good a checkpoint is: one line in plain words, and the protocol behind it."""

import streamlit as st

from fervt.evaluation import references
from fervt.evaluation.averaging import FILE as FIVE_CROP
from fervt.evaluation.metrics import Metrics
from fervt.evaluation.store import EvaluationStore
from fervt.evaluation.words import HUMAN_ACCURACY, LABEL_AGREEMENT, caveats, describe_interval
from fervt.labels import FER2013
from fervt.predict import Predictor
from fervt.ui.checkpoints import is_own
from fervt.ui.evaluation.selection import find_averagings, load_evaluation

HUMANS = (
    f"People reach {HUMAN_ACCURACY} on FER2013, and its labels agree with the majority of ten "
    f"later annotators on only {LABEL_AGREEMENT} of these images."
)


def find_metrics(predictor: Predictor) -> Metrics | None:
    """The figures of a checkpoint on the held-out test split; None if nothing is saved."""
    if is_own(predictor):
        return None
    return EvaluationStore().metrics(predictor.name, predictor.sha256).get("PrivateTest")


def say_proof(metrics: Metrics | None) -> str:
    """How good it is, in one line without technical terms; "" if nothing is known."""
    if metrics is None:
        return ""
    right = _of_ten((metrics.without_copies or metrics.standard).accuracy)  # copies may be known
    if metrics.truth is not FER2013:
        return f"Right on **{right} of 10** faces it has never seen."
    people = _of_ten(references.HUMAN_ACCURACY)
    return f"Right on **{right} of 10** faces it has never seen; people manage about {people}."


def _of_ten(share: float) -> str:
    return f"{round(20 * share) / 2:g}"


def show_protocol(predictor: Predictor, metrics: Metrics | None) -> None:
    """Draws the exact figures and how they were measured, closed at first."""
    with st.expander("How this was measured", icon=":material/verified:"):
        device = "the GPU" if predictor.device.type == "cuda" else "the CPU"
        st.markdown(
            f"**{predictor.name}**, {len(predictor.classes)} expressions, runs on {device} of this "
            "machine; nothing is sent to another service."
        )
        if metrics is None:
            st.markdown("This checkpoint hasn't been evaluated yet.")
            return
        scores = metrics.standard
        st.markdown(
            f"**Test accuracy: {scores.accuracy:.1%}** (95% interval "
            f"{describe_interval(scores)}, n = {scores.n:,})."
        )
        st.markdown(_protocol(metrics, _five_crops(predictor)))


def _five_crops(predictor: Predictor) -> str:
    folder = EvaluationStore().folders(predictor.name, predictor.sha256).get("PrivateTest")
    if folder is None or not (folder / FIVE_CROP).is_file():
        return ""
    evaluation = load_evaluation(folder)
    if "five-crop" not in find_averagings([evaluation])[0]:
        return ""
    accuracy = evaluation.rows(averaging="five-crop").scores.accuracy
    return f"{accuracy:.1%} when the answers for five crops of each face are averaged."


def _protocol(metrics: Metrics, five_crops: str) -> str:
    truth, clean = metrics.truth, metrics.without_copies
    held_out = ", held out from training and selection" if metrics.data.held_out else ""
    sentences = [
        f"Measured on {truth.title} PrivateTest{held_out}.",
        f"{metrics.tta.standard.accuracy:.1%} when averaged with each face's mirror image.",
        *([five_crops] if five_crops else []),
    ]
    if clean is not None:
        sentences.append(
            f"{clean.accuracy:.1%} without the images that are also in earlier splits "
            f"(n = {clean.n:,})."
        )
    sentences += [HUMANS] if truth is FER2013 and held_out else []
    return " ".join([*sentences, *caveats(metrics, truth)])
