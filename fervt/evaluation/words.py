"""The wording that pages, reports and the model card share when they describe figures.

Every sentence is filled in from figures; none is written for one checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fervt.amounts import from_to, points
from fervt.evaluation import references
from fervt.evaluation.averaging import Averaging
from fervt.evaluation.metrics import Metrics
from fervt.evaluation.rows import Rows
from fervt.labels import FER2013, SPLITS, Vocabulary, expression
from fervt.metrics import (
    PEOPLE_DIFFER,
    PEOPLE_SIDE_WITH_LABEL,
    PEOPLE_SIDE_WITH_MODEL,
    Difference,
    McNemar,
    Scores,
)

_SURE_P = 0.05
_SHOWN = 0.0005  # a smaller difference is shown as 0.0 points

PEOPLE = {
    PEOPLE_SIDE_WITH_LABEL: "people agree with the label",
    PEOPLE_SIDE_WITH_MODEL: "people agree with the model",
    PEOPLE_DIFFER: "people say something else, or disagree",
}
"""Which side FER+'s annotators take in an error, from `metrics.people_on_errors`."""

_COPIES = "Copies are test faces that are also in an earlier split, pixel for pixel."
AVERAGED: dict[Averaging, str] = {
    "none": "",
    "flip": "Mirrored: averaged with the prediction for the mirrored face.",
    "five-crop": "Five crops: averaged over five windows of the face, at its center and in its "
    "corners; none is mirrored.",
}
"""What answers are averaged over."""
RECALL_AND_PRECISION = "Recall: how many of its faces are found. Precision: how often it is right."
DIAGONAL = "On the diagonal, “80% sure” is right in 80 of 100 cases."
HUMAN_ACCURACY = f"{references.HUMAN_ACCURACY:.0%} ± {100 * references.HUMAN_SPREAD:.0f} points"
LABEL_AGREEMENT = f"{references.LABEL_AGREEMENT:.0%}"


def explain_ways(averagings: Sequence[Averaging]) -> str:
    """What the names of `SavedEvaluation.ways` mean, in sentences."""
    return " ".join([_COPIES, *filter(None, map(AVERAGED.__getitem__, averagings))])


def describe_interval(scores: Scores) -> str:
    """The accuracy's 95% interval, like `68.1 to 71.1%`."""
    low, high = scores.accuracy_interval_95
    return f"{100 * low:.1f} to {high:.1%}"


def caveats(metrics: Metrics, truth: Vocabulary) -> list[str]:
    """Caveats to know before quoting a checkpoint's figures.

    Args:
        metrics: Of the evaluation.
        truth: The label set that counts as right.
    """
    found = []
    own_images = metrics.data.labels_from is not None
    if metrics.data.split in SPLITS[1:] and not metrics.data.held_out:
        found.append(
            "The checkpoint may have seen these faces before, since the data it was trained on was "
            "split in another way."
        )
    elif metrics.data.split == "PublicTest" and not own_images:
        found.append(
            "PublicTest was used to choose this checkpoint, so its figures are optimistic; "
            "PrivateTest is the one to quote."
        )
    if metrics.saw_votes and truth is FER2013 and not own_images:
        found.append("It was trained with FER+ votes too, which plain FER2013 models lack.")
    return found


def describe_tools(split: str) -> str:
    """What the accuracies of other tools were measured on.

    Args:
        split: The split of the checkpoint's figure.
    """
    elsewhere = (
        ""
        if split == references.SPLIT
        else f" The checkpoint's figure is on {split}, theirs on {references.SPLIT}."
    )
    return (
        f"Tools as their packages ship them, run by this project on {references.SPLIT}. Only "
        f"{LABEL_AGREEMENT} of that split's labels agree with the majority of ten later "
        f"annotators.{elsewhere}"
    )


def unseen(rows: Rows, metrics: Metrics) -> str:
    """What follows a number of faces of a held-out split; "" for others, and for own images.

    Some test faces are also in an earlier split, so that the model may have seen them.
    """
    data = metrics.data
    if data.split not in SPLITS[1:] or data.labels_from is not None or not data.held_out:
        return ""
    copies = int(rows.table["is_copy"].sum())
    return (
        f", {copies:,} of them also in an earlier split" if copies else ", held out from training"
    )


@dataclass(frozen=True)
class Mistake:
    """One kind of mistake.

    Attributes:
        label: The display name of the label.
        answer: The display name of the model's answer.
        count: Such faces.
        support: All faces of that label.
    """

    label: str
    answer: str
    count: int
    support: int


def worst_mistakes(scores: Scores, most: int) -> list[Mistake]:
    """The most frequent mistakes, the worst first."""
    counts = np.array(scores.confusion)
    mistakes = counts - np.diag(np.diag(counts))
    names = [expression(name).name for name in scores.per_class]
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    return [
        Mistake(names[row], names[column], int(mistakes[row, column]), int(counts[row].sum()))
        for row, column in zip(*np.unravel_index(order, mistakes.shape), strict=True)
        if mistakes[row, column]
    ]


def describe_worst_mistake(scores: Scores) -> str:
    """The most frequent mistake, like `Sad taken for Neutral (114 of 594 such faces)`."""
    found = worst_mistakes(scores, 1)
    if not found:
        return "none: all its answers are right"
    worst = found[0]
    return (
        f"{worst.label} taken for {worst.answer} ({worst.count:,} of {worst.support:,} such faces)"
    )


def describe_verdict(
    names: tuple[str, str],
    accuracies: tuple[float, float],
    difference: Difference,
    truth: Vocabulary,
) -> str:
    """Which of two is better, as a headline.

    Args:
        names: Of both.
        accuracies: Of both.
        difference: The second's accuracy minus the first's.
        truth: The label set that counts as right.
    """
    labels = f"On {truth.title} labels"
    if not difference.is_clear:
        shares = " and ".join(f"{accuracy:.1%}" for accuracy in accuracies)
        return f"{labels}, {names[0]} and {names[1]} are about equal: {shares}"
    better = int(difference.value > 0)
    return (
        f"{labels}, {names[better]} is clearly better than {names[1 - better]}: "
        f"{accuracies[better]:.1%} against {accuracies[1 - better]:.1%}"
    )


def describe_difference(difference: Difference) -> str:
    """An accuracy's difference in a sentence."""
    interval = from_to(100 * difference.low, 100 * difference.high)
    size = f"{points(difference.value)} (95% interval {interval})"
    if difference.is_clear:
        return f"{size}."
    if difference.p_value is not None and (difference.low > 0 or difference.high < 0):
        return f"{size}, but too few answers differ for one to be clearly better."
    return f"{size}, so neither is clearly better."


def explain_f1(old: Scores, new: Scores) -> str:
    """Why a class's F1 changed one way and its recall the other, a sentence each; "" if none did.

    Args:
        old: Of the first checkpoint.
        new: Of another one, on the same rows and classes.
    """
    said = []
    for label, before in old.per_class.items():
        after = new.per_class[label]
        f1, recall = after.f1 - before.f1, after.recall - before.recall
        if min(abs(f1), abs(recall)) < _SHOWN or f1 * recall > 0:
            continue
        one, other = ("falls", "rises") if f1 > 0 else ("rises", "falls")
        precision = after.precision - before.precision
        said.append(
            f"{expression(label).name}: recall {one} by {abs(100 * recall):.1f} points, yet F1 "
            f"{other} by {abs(100 * f1):.1f}, because precision {other} by "
            f"{abs(100 * precision):.1f}."
        )
    return " ".join(said)


def explain_mcnemar(test: McNemar, old: str, new: str) -> str:
    """McNemar's test in a sentence."""
    if not test.fixed + test.broken:
        return f"{old} and {new} are right on exactly the same faces."
    chance = "p below 0.001" if test.p_value < 0.001 else f"p = {test.p_value:.3f}"
    meaning = (
        "more than chance would explain"
        if test.p_value < _SURE_P
        else "no more than chance would explain"
    )
    return (
        f"{new} gets {test.fixed:,} faces right that {old} got wrong, and {test.broken:,} the "
        f"other way round: {meaning} (exact McNemar test, {chance})."
    )
