"""Confidence in words: the threshold is measured, and the words name what was measured."""

import shutil

import numpy as np
import pytest
from synthetic import save_evaluation

from fervt.amounts import percent
from fervt.checkpoint import shipped_checkpoints
from fervt.evaluation.certainty import (
    UNMEASURED,
    find_threshold,
    measure_threshold,
    say_prediction,
    threshold_in,
    unsure_below,
)
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.store import EvaluationStore
from fervt.files import file_sha256
from fervt.ui import certainty as words
from fervt.ui.glossary import TERMS

CLASSES = ("angry", "happy", "neutral")


def test_the_threshold_ends_the_bands_in_which_most_answers_are_wrong():
    confidence = np.repeat([0.32, 0.47, 0.62, 0.93], 40)
    right = np.concatenate([np.arange(40) < share for share in (10, 19, 20, 39)])
    assert unsure_below(confidence, right) == 0.5
    assert unsure_below(confidence, np.zeros(160, bool)) == 0.95
    assert unsure_below(np.ones(40), np.zeros(40, bool)) == 1.0
    few = np.full(5, 0.3)
    assert unsure_below(few, np.ones(5, bool)) == 0.0, "five faces say nothing"


def test_no_band_is_called_unsure_that_was_not_below_half():
    confidence = np.repeat([0.32, 0.62, 0.93], [5, 40, 40])
    right = np.concatenate([np.zeros(5, bool), np.arange(40) < 30, np.ones(40, bool)])
    assert unsure_below(confidence, right) == 0.0
    assert unsure_below(confidence, np.ones(85, bool)) == 0.0


def test_bands_with_few_faces_count_together():
    confidence = np.repeat([0.32, 0.42, 0.47, 0.93], [8, 17, 40, 40])
    right = np.arange(105) >= 21  # 4 of 25 below 0.45, then everything
    assert unsure_below(confidence, right) == 0.45
    assert unsure_below(confidence[8:], right[8:]) == 0.0, "17 faces count with the next band"


def shipped_threshold(name: str) -> float:
    return measure_threshold(file_sha256(shipped_checkpoints()[name]))


def test_the_shipped_thresholds():
    assert shipped_threshold("fervt-wide") == 0.45
    assert shipped_threshold("fervt-ferplus") == 0.45
    assert shipped_threshold("fervt-narrow") == 0.55


def test_the_glossary_says_how_often_one_of_the_two_named_holds():
    rows = EvaluationStore().find("fervt-wide", "PrivateTest").rows()
    unsure = rows.calibrated.max(axis=1) < shipped_threshold("fervt-wide")
    named = np.argsort(-rows.calibrated[unsure], axis=1)[:, :2]
    holds = (named == rows.labels[unsure, None]).any(axis=1).mean()
    assert round(10 * holds) == 7
    assert "seven of ten such cases" in TERMS["unsure"].more


def test_damaged_figures_of_another_checkpoint_take_nothing_away(tmp_path):
    shutil.copytree(EvaluationStore().root / "ablation", tmp_path / "b")
    (tmp_path / "a" / "PublicTest").mkdir(parents=True)
    (tmp_path / "a" / "PublicTest" / "metrics.json").write_text("{")
    digest = file_sha256(shipped_checkpoints()["ablation"])
    assert find_threshold(digest, EvaluationStore(tmp_path)) == 0.55


def test_an_own_evaluation_measures_it_on_public_test_only(tmp_path):
    nothing = EvaluationStore(tmp_path / "nothing saved")
    public, private = (
        read_evaluation(save_evaluation(tmp_path / split, split=split, skill=0.8))
        for split in ("PublicTest", "PrivateTest")
    )
    rows = public.rows()
    expected = unsure_below(rows.calibrated.max(axis=1), rows.right)
    assert expected not in (0, UNMEASURED)
    assert measure_threshold("0" * 64, nothing, public) == expected
    assert measure_threshold("0" * 64, nothing, private) == UNMEASURED
    assert threshold_in(private) is None
    digest = file_sha256(shipped_checkpoints()["ablation"])
    assert measure_threshold(digest, evaluation=public) == 0.55, "what ships comes first"


def test_an_evaluation_in_view_says_so_to_whoever_made_it(tmp_path, monkeypatch):
    monkeypatch.setattr(words, "_find", lambda _: None)
    public = read_evaluation(save_evaluation(tmp_path / "public", split="PublicTest", skill=0.8))
    expected = threshold_in(public)
    assert words.threshold_of("0" * 64, public) == expected != UNMEASURED
    assert f"Answers below {expected:.0%}" in words.explain_threshold("mine", "0" * 64, public)


@pytest.mark.parametrize("change", [{"count": 12}, {"neutralized": "gwa"}])
def test_no_threshold_comes_from_few_faces_or_a_part_switched_off(tmp_path, change):
    settings = {"split": "PublicTest", "skill": 0.8} | change
    evaluation = read_evaluation(save_evaluation(tmp_path / "public", **settings))
    assert threshold_in(evaluation) is None
    assert measure_threshold("0" * 64, EvaluationStore(tmp_path / "none"), evaluation) == UNMEASURED


@pytest.mark.parametrize(("found", "said"), [
    (None, "was not measured"), (0.0, "No answer is called unsure"), (0.55, "on PublicTest"),
])  # fmt: skip
def test_nothing_is_called_measured_that_was_not(monkeypatch, found, said):
    monkeypatch.setattr(words, "_find", lambda _: found)
    told = words.explain_threshold("alpha", "0" * 64)
    assert said in told and ("PublicTest" in told) == (found is not None)
    assert words.threshold_of("0" * 64) == (UNMEASURED if found is None else found)


@pytest.mark.parametrize("name", list(shipped_checkpoints()))
def test_what_is_called_unsure_is_wrong_more_often_than_right(name):
    threshold = shipped_threshold(name)
    # FER+ leaves out the faces on which people disagree most.
    least = 0.005 if name == "fervt-ferplus" else 0.01
    for split in ("PublicTest", "PrivateTest"):  # the second was not looked at
        rows = EvaluationStore().find(name, split).rows()
        unsure = rows.calibrated.max(axis=1) < threshold
        assert least < unsure.mean() < 0.7 and unsure.sum() >= 20
        assert rows.right[unsure].mean() < 0.5 < rows.right[~unsure].mean()


def test_without_a_saved_evaluation_it_is_what_calibration_means(tmp_path):
    assert measure_threshold("0" * 64, EvaluationStore(tmp_path)) == UNMEASURED


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
