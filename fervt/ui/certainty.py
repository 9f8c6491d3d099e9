"""How a checkpoint's answers are worded on every page."""

import streamlit as st

from fervt.evaluation.certainty import UNMEASURED, find_threshold, say_prediction, threshold_in
from fervt.predict import Prediction, Predictor
from fervt.ui.own_evaluation import find_own
from fervt.ui.text import as_text


def threshold_of(sha256: str) -> float:
    """The confidence below which the checkpoint with this file is called unsure."""
    found = _measured(sha256)
    return UNMEASURED if found is None else found


def say(predictor: Predictor, prediction: Prediction) -> str:
    """A checkpoint's answer for a face: "Happy, 94%" or "Unsure: Happy or Neutral"."""
    threshold = threshold_of(predictor.sha256)
    return say_prediction(prediction.probabilities, prediction.classes, threshold)


def explain_threshold(name: str, sha256: str) -> str:
    """Where the threshold of a checkpoint comes from, in a sentence.

    Args:
        name: The checkpoint's.
        sha256: Of its file.
    """
    threshold = _measured(sha256)
    if threshold is None:
        return (
            f"Answers below {UNMEASURED:.0%} are called unsure. The threshold was not measured for "
            "this checkpoint."
        )
    if threshold == 0:
        return (
            f"No answer is called unsure: on PublicTest faces, {as_text(name)} was right at least "
            "half of the time at every level of confidence."
        )
    return (
        f"Answers below {threshold:.0%} are called unsure: on PublicTest faces with such a "
        f"confidence {as_text(name)} was right less than half of the time."
    )


def _measured(sha256: str) -> float | None:
    """From what ships with fervt, else from the session's own evaluation on PublicTest."""
    found = _find(sha256)
    if found is not None:
        return found
    own = find_own(sha256)
    return None if own is None else own.remember("unsure below", lambda: threshold_in(own))


@st.cache_resource(max_entries=32, show_spinner=False)
def _find(sha256: str) -> float | None:
    return find_threshold(sha256)
