"""Sentences follow from the figures that they are filled in from."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from synthetic import save_evaluation

from fervt.evaluation import references
from fervt.evaluation.metrics import read_metrics
from fervt.evaluation.words import (
    caveats,
    describe_difference,
    describe_interval,
    describe_tools,
    describe_worst_mistake,
    explain_f1,
    explain_mcnemar,
    unseen,
)
from fervt.labels import FER2013, FERPLUS
from fervt.metrics import Difference, McNemar, score


def scores_of(confusion: list[list[int]], classes: tuple[str, ...]):
    """Scores of certain answers that give this confusion matrix."""
    cells = [
        (label, answer)
        for label, row in enumerate(confusion)
        for answer, count in enumerate(row)
        for _ in range(count)
    ]
    labels, answers = np.array(cells).T
    return score(np.eye(len(classes))[answers], labels, classes)


def test_worst_mistake() -> None:
    classes = ("angry", "sad")
    assert (
        describe_worst_mistake(scores_of([[5, 0], [0, 3]], classes))
        == "none: all its answers are right"
    )
    found = describe_worst_mistake(scores_of([[5, 1], [2, 3]], classes))
    assert found == "Sad taken for Angry (2 of 5 such faces)"


def test_interval() -> None:
    scores = scores_of([[50, 10], [10, 30]], ("angry", "sad"))
    assert describe_interval(replace(scores, accuracy_interval_95=(0.6353, 0.6668))) == (
        "63.5 to 66.7%"
    )


def test_caveats_are_said_where_they_hold(tmp_path) -> None:
    seen = {"labels_seen": ["fer2013", "ferplus"]}
    both = read_metrics(save_evaluation(tmp_path / "both", split="PublicTest", **seen))
    assert len(caveats(both, FER2013)) == 2
    assert "are optimistic" in caveats(both, FER2013)[0]
    assert "trained with FER+ votes" in caveats(both, FER2013)[1]
    assert len(caveats(both, FERPLUS)) == 1
    plain = read_metrics(save_evaluation(tmp_path / "plain"))
    assert caveats(plain, FER2013) == []
    votes = replace(both, data=replace(both.data, split="mine.zip", labels_from="folders"))
    assert caveats(votes, FER2013) == []


def test_mcnemar_and_differences() -> None:
    assert "exactly the same faces" in explain_mcnemar(McNemar(0, 0, 1.0), "a", "b")
    assert "p below 0.001" in explain_mcnemar(McNemar(90, 10, 1e-9), "a", "b")
    assert "no more than chance would explain" in explain_mcnemar(McNemar(5, 4, 1.0), "a", "b")
    assert ": more than chance" in explain_mcnemar(McNemar(90, 10, 1e-9), "a", "b")
    assert describe_difference(Difference(0.02, 0.01, 0.03)) == (
        "+2.0 points (95% interval +1.0 to +3.0)."
    )
    assert describe_difference(Difference(0.05, 0.01, 0.1, 0.0625)) == (
        "+5.0 points (95% interval +1.0 to +10.0), but too few answers differ for one to be "
        "clearly better."
    )
    assert describe_difference(Difference(0.02, -0.01, 0.05)).endswith(
        "so neither is clearly better."
    )


def test_why_f1_rises_while_recall_falls() -> None:
    classes = ("angry", "fear", "sad")
    old = scores_of([[30, 10, 0], [5, 35, 0], [0, 15, 25]], classes)
    new = scores_of([[39, 1, 0], [6, 34, 0], [0, 5, 35]], classes)
    # Fear is found once less, but no longer claimed for so many others.
    assert explain_f1(old, new) == (
        "Fearful: recall falls by 2.5 points, yet F1 rises by 15.0, because "
        "precision rises by 26.7."
    )
    assert explain_f1(new, old) == (
        "Fearful: recall rises by 2.5 points, yet F1 falls by 15.0, because "
        "precision falls by 26.7."
    )
    assert explain_f1(old, old) == ""


def test_other_tools_are_named_with_their_own_split() -> None:
    assert "theirs on" not in describe_tools(references.SPLIT)
    assert "figure is on PublicTest, theirs on PrivateTest" in describe_tools("PublicTest")
    scores = scores_of([[50, 10], [10, 30]], ("angry", "sad"))
    names, accuracies, intervals, ours = references.standing("alpha", scores)
    # The best first, whatever its kind: a tool that does better than people stands above them.
    assert names[:3] == ["alpha", "fer 25.10.3", "People"]
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[0] == 0.8
    assert intervals[0] == scores.accuracy_interval_95
    assert intervals[2] == pytest.approx((0.6, 0.7))
    assert len(names) == len(accuracies) == len(intervals) == len(ours) == 6
    assert ours == [True] + 5 * [False]


@pytest.mark.parametrize(
    ("copies", "said"),
    [(314, ", 314 of them also in an earlier split"), (0, ", held out from training")],
)
def test_faces_that_are_also_in_an_earlier_split_are_not_called_held_out(copies, said) -> None:
    rows = SimpleNamespace(table=pd.DataFrame({"is_copy": np.arange(400) < copies}))

    def metrics(split, labels_from=None, held_out=True):
        data = SimpleNamespace(split=split, labels_from=labels_from, held_out=held_out)
        return SimpleNamespace(data=data)

    assert unseen(rows, metrics("PrivateTest")) == said
    assert unseen(rows, metrics("Training")) == ""
    assert unseen(rows, metrics("PrivateTest", "folders")) == "", "an own archive of that name"
    assert unseen(rows, metrics("PrivateTest", held_out=False)) == "", "split in another way"


def test_an_own_archive_may_be_called_like_a_split(tmp_path) -> None:
    metrics = read_metrics(save_evaluation(tmp_path / "own", split="PublicTest"))
    assert "optimistic" in caveats(metrics, FER2013)[0]
    own = replace(metrics, data=replace(metrics.data, labels_from="folders"))
    assert caveats(own, FER2013) == []
