"""How a checkpoint's answers are worded on every page."""

from functools import partial

import streamlit as st

from fervt.evaluation.certainty import UNMEASURED, find_threshold, say_prediction, threshold_in
from fervt.evaluation.saved import SavedEvaluation
from fervt.predict import Prediction, Predictor
from fervt.ui.own_evaluation import find_own
from fervt.ui.text import as_text


def threshold_of(sha256: str, shown: SavedEvaluation | None = None) -> float:
    """The confidence below which the checkpoint with this file is called unsure.

    Args:
        sha256: Of its file.
        shown: An evaluation of it in view, whoever made it.
    """
    found = _measured(sha256, shown)
    return UNMEASURED if found is None else found


def say(predictor: Predictor, prediction: Prediction) -> str:
    """A checkpoint's answer for a face: "Happy, 94%" or "Unsure: Happy or Neutral"."""
    threshold = threshold_of(predictor.sha256)
    return say_prediction(prediction.probabilities, prediction.classes, threshold)


def explain_threshold(name: str, sha256: str, shown: SavedEvaluation | None = None) -> str:
    """Where the threshold of a checkpoint comes from, in a sentence.

    Args:
        name: The checkpoint's.
        sha256: Of its file.
        shown: As for `threshold_of`.
    """
    threshold = _measured(sha256, shown)
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


def _measured(sha256: str, shown: SavedEvaluation | None) -> float | None:
    """From what ships with fervt, else from an evaluation on PublicTest in view or of one's own."""
    found = _find(sha256)
    if found is not None:
        return found
    for own in filter(None, (shown, find_own(sha256))):
        found = own.remember("unsure below", partial(threshold_in, own))
        if found is not None:
            return found
    return None


@st.cache_resource(max_entries=32, show_spinner=False)
def _find(sha256: str) -> float | None:
    return find_threshold(sha256)
