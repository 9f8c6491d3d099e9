"""Confidence in words: the threshold is measured, and the words name what was measured."""

import numpy as np
import pytest

from fervt.checkpoint import shipped_checkpoints
from fervt.evaluation.certainty import (
    UNMEASURED,
    measure_threshold,
    percent,
    say_prediction,
    unsure_below,
)
from fervt.evaluation.store import EvaluationStore

CLASSES = ("angry", "happy", "neutral")


def test_the_threshold_ends_the_bands_in_which_most_answers_are_wrong():
    confidence = np.repeat([0.32, 0.47, 0.62, 0.93], 40)
    right = np.concatenate([np.arange(40) < share for share in (10, 19, 20, 39)])
    assert unsure_below(confidence, right) == 0.6
    assert unsure_below(confidence[80:], right[80:]) == 0.6
    assert unsure_below(confidence, np.zeros(160, bool)) == 1.0
    few = np.full(5, 0.3)
    assert unsure_below(few, np.ones(5, bool)) == 0.0, "five faces say nothing"


@pytest.mark.parametrize("name", list(shipped_checkpoints()))
def test_what_is_called_unsure_is_wrong_more_often_than_right(name):
    threshold = measure_threshold(name)
    for split in ("PublicTest", "PrivateTest"):  # the second was not looked at
        rows = EvaluationStore().find(name, split).rows()
        unsure = rows.calibrated.max(axis=1) < threshold
        assert 0.01 < unsure.mean() < 0.7
        assert rows.right[unsure].mean() < 0.5 < rows.right[~unsure].mean()


def test_without_a_saved_evaluation_it_is_what_calibration_means(tmp_path):
    assert measure_threshold("nobody", EvaluationStore(tmp_path)) == UNMEASURED


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ((0.02, 0.94, 0.04), "Happy, 94%"),
        ((0.0, 1.0, 0.0), "Happy, >99%"),
        ((0.15, 0.45, 0.40), "Unsure: Happy or Neutral"),
        ((0.40, 0.20, 0.40), "Unsure: Angry or Neutral"),
    ],
)
def test_an_answer_in_words(shares, said):
    assert say_prediction(np.array(shares), CLASSES, 0.5) == said


def test_nobody_is_told_that_something_is_certain_or_impossible():
    shares = [0, 0.0049, 0.0051, 0.5, 0.9949, 0.9951, 1]
    said = ["<1%", "<1%", "1%", "50%", "99%", ">99%", ">99%"]
    assert [percent(share) for share in shares] == said
