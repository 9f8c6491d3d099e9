"""How a checkpoint's answers are put into words on every page."""

import streamlit as st

from fervt.evaluation.certainty import UNMEASURED, measure_threshold, say_prediction
from fervt.predict import Prediction, Predictor
from fervt.ui.checkpoints import is_own


def threshold_of(predictor: Predictor) -> float:
    """The confidence below which a checkpoint is called unsure."""
    return UNMEASURED if is_own(predictor) else _measured(predictor.name, predictor.sha256)


def say(predictor: Predictor, prediction: Prediction) -> str:
    """What a checkpoint says of a face: "Happy, 94%" or "Unsure: Happy or Neutral"."""
    return say_prediction(prediction.probabilities, prediction.classes, threshold_of(predictor))


def explain_threshold(predictor: Predictor) -> str:
    """Where the threshold comes from, in a sentence."""
    threshold = threshold_of(predictor)
    if is_own(predictor) or threshold == 0:
        return f"Below {threshold:.0%} the answer is called unsure."
    return (
        f"Below {threshold:.0%} the answer is called unsure: on PublicTest faces with such a "
        f"confidence {predictor.name} was right less than half of the time."
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _measured(name: str, digest: str) -> float:
    return measure_threshold(name)
