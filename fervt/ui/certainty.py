"""How a checkpoint's answers are worded on every page."""

import streamlit as st

from fervt.evaluation.certainty import UNMEASURED, find_threshold, say_prediction
from fervt.predict import Prediction, Predictor
from fervt.ui.checkpoints import is_own


def threshold_of(predictor: Predictor) -> float:
    """The confidence below which a checkpoint is called unsure."""
    found = _found(predictor)
    return UNMEASURED if found is None else found


def say(predictor: Predictor, prediction: Prediction) -> str:
    """A checkpoint's answer for a face: "Happy, 94%" or "Unsure: Happy or Neutral"."""
    return say_prediction(prediction.probabilities, prediction.classes, threshold_of(predictor))


def explain_threshold(predictor: Predictor) -> str:
    """Where the threshold comes from, in a sentence."""
    threshold = _found(predictor)
    if threshold is None:
        return (
            f"Answers below {UNMEASURED:.0%} are called unsure. The threshold was not measured for "
            "this checkpoint."
        )
    if threshold == 0:
        return (
            f"No answer is called unsure: on PublicTest faces, {predictor.name} was right at least "
            "half of the time at every level of confidence."
        )
    return (
        f"Answers below {threshold:.0%} are called unsure: on PublicTest faces with such a "
        f"confidence {predictor.name} was right less than half of the time."
    )


def _found(predictor: Predictor) -> float | None:
    return None if is_own(predictor) else _measured(predictor.name, predictor.sha256)


@st.cache_resource(max_entries=32, show_spinner=False)
def _measured(name: str, digest: str) -> float | None:
    return find_threshold(name)
