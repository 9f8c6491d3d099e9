"""A saved evaluation as a deck: each slide has one message, chart data, and what to say.

The presenter view draws it in the browser and `slides` writes it for PowerPoint, so both say the
same.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervt.evaluation import references
from fervt.evaluation.certainty import measure_threshold
from fervt.evaluation.comparison import Joined, compare, join_evaluations, tell_apart
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.words import (
    HUMAN_ACCURACY,
    PEOPLE,
    caveats,
    describe_difference,
    describe_interval,
    describe_tools,
    describe_verdict,
    unseen,
    worst_mistakes,
)
from fervt.labels import FER2013, NOTICE, Vocabulary, expression
from fervt.metrics import PEOPLE_SIDE_WITH_LABEL, reliability, risk_coverage
from fervt.reports.deck_evidence import compare_evidence, evidence_slides, parts_slides
from fervt.reports.deck_parts import Bars, Lines, Slide

_MISTAKES = 6
_POINTS = 40
_FEW = 10
_FOUND = "Share of each expression's faces found"


def build_deck(
    evaluation: SavedEvaluation,
    rows: Rows | None = None,
    against: SavedEvaluation | None = None,
    truth: Vocabulary | None = None,
    rule: str = "",
) -> list[Slide]:
    """The slides of an evaluation.

    Args:
        evaluation: The evaluation.
        rows: Those of it that count; None for all.
        against: Another evaluation of the same split, to compare with.
        truth: The label set that counts as right in these rows; the evaluation's own by default.
        rule: How these rows and their answers were chosen, in a sentence, if it isn't the default
            way.

    Raises:
        DataError: There are no rows, or the two evaluations cannot be compared.
    """
    rows = evaluation.rows() if rows is None else rows
    if against is not None:
        against, evaluation = tell_apart(against, evaluation)
    return list(_slides(evaluation, rows, against, truth or evaluation.truth, rule))


def _slides(
    evaluation: SavedEvaluation,
    rows: Rows,
    against: SavedEvaluation | None,
    truth: Vocabulary,
    rule: str,
) -> Iterator[Slide]:
    scores, title = rows.scores, evaluation.title
    own = evaluation.of_own_images
    # People and other tools were measured on all of FER2013's faces, by its own labels.
    comparable = truth is evaluation.truth and evaluation.is_comparable and not rule
    labels = "" if own else f" by {truth.title}'s labels"
    said = [
        f"{title} names the labeled expression that often on {evaluation.split}{labels}; the 95% "
        f"interval is {describe_interval(scores)}."
    ]
    if comparable:
        said += [f"People reach {HUMAN_ACCURACY}.", describe_tools(evaluation.split)]
    yield Slide(
        f"Right on {scores.accuracy:.1%} of {scores.n:,} faces{unseen(rows, evaluation.metrics)}",
        " ".join([*said, rule]).strip(),
        _standing(evaluation, rows) if comparable else _ruled(_per_class(rows, "recall"), rule),
    )
    worst, best = (expression(scores.occurring[i]).name for i in (0, -1))
    yield Slide(
        f"Best at {best}, weakest at {worst}" if best != worst else f"All faces are labeled {best}",
        "F1 combines the share of an expression's faces found with how often that answer is right; "
        "1 is perfect.",
        _per_class(rows, "f1"),
    )
    if mistakes := worst_mistakes(scores, _MISTAKES):
        first = mistakes[0]
        yield Slide(
            f"Its most frequent mistake: {first.label} taken for {first.answer}",
            f"That happens to {first.count:,} of {first.support:,} faces labeled {first.label}.",
            Bars(
                tuple(f"{m.label} → {m.answer}" for m in mistakes),
                {"Faces": tuple(float(m.count) for m in mistakes)},
                "Faces",
                as_percent=False,
            ),
        )
    about = evaluation.metrics.checkpoint
    yield from _confidence(rows, measure_threshold(about.sha256, evaluation=evaluation))
    if truth is FER2013 and not own and rows.has_votes and (rows.people >= 0).any():
        yield _people(rows)
    yield from evidence_slides(evaluation, rows)
    if truth is evaluation.truth and not rule:
        yield from parts_slides(evaluation)
    if against is not None:
        joined = join_evaluations([against, evaluation], evaluation.truth)
        yield _against(evaluation, against, joined)
        yield from compare_evidence(evaluation, against, joined)
    yield Slide(
        "Before you use these figures",
        "The figures hold within these limits.",
        points=(NOTICE, *caveats(evaluation.metrics, truth)),
    )


def _standing(evaluation: SavedEvaluation, rows: Rows) -> Bars:
    names, accuracies, _, _ = references.standing(evaluation.title, rows.scores)
    return Bars(tuple(names), {"Accuracy": tuple(accuracies)}, "Accuracy", marked=evaluation.title)


def _ruled(bars: Bars, rule: str) -> Bars:
    """The same bars with the rule visible above them, not only in the notes."""
    return replace(bars, measure=f"{bars.measure}. {rule}") if rule else bars


def _per_class(rows: Rows, figure: str) -> Bars:
    per_class = rows.scores.per_class
    ranked = reversed(rows.scores.occurring)
    values = {expression(c).name: float(getattr(per_class[c], figure)) for c in ranked}
    title, measure = {"recall": ("Share found", _FOUND), "f1": ("F1", "F1; 1 is perfect")}[figure]
    shares = {title: tuple(values.values())}
    return Bars(tuple(values), shares, measure, as_percent=figure == "recall")


def _confidence(rows: Rows, threshold: float) -> Iterator[Slide]:
    bins = reliability(rows.calibrated, rows.labels)
    kept = bins.count >= _FEW  # the share of a handful of faces says nothing
    if kept.sum() > 1:
        yield Slide(
            f"Its stated confidence is off by {100 * rows.scores.ece_calibrated:.1f} points",
            "On the diagonal, answers that are 80% sure are right in 80 of 100 cases.",
            Lines(
                "Stated confidence",
                "Share of right answers",
                {
                    "Measured": _points(bins.confidence[kept], bins.accuracy[kept]),
                    "Ideal": ((0.0, 0.0), (1.0, 1.0)),
                },
            ),
        )
    curve = risk_coverage(rows.calibrated, rows.labels)
    coverage, risk = curve.at(threshold)
    if threshold and risk is not None:
        yield Slide(
            f"When at least {threshold:.0%} sure, it is right on {1 - risk:.0%} of the faces",
            f"It then answers for {coverage:.0%} of the faces. Its other answers are called unsure "
            "and are left to people.",
            Lines(
                "Share of faces answered",
                "Share of right answers",
                {"Right": _points(curve.coverage, 1 - curve.risk)},
            ),
        )


def _people(rows: Rows) -> Slide:
    counts = {said: int((rows.people == side).sum()) for side, said in PEOPLE.items()}
    errors = sum(counts.values())
    other = errors - counts[PEOPLE[PEOPLE_SIDE_WITH_LABEL]]
    return Slide(
        f"In {other / errors:.0%} of its errors, people don't agree with the label either",
        f"Ten later annotators looked at the same faces; of {errors:,} errors, their majority does "
        f"not back the label in {other:,}.",
        Bars(
            tuple(said[0].upper() + said[1:] for said in counts),
            {"Errors": tuple(map(float, counts.values()))},
            "Errors",
            as_percent=False,
        ),
    )


def _against(evaluation: SavedEvaluation, against: SavedEvaluation, joined: Joined) -> Slide:
    old, new = joined.rows
    names = against.title, evaluation.title
    recalls = [[float(rows.scores.per_class[c].recall) for c in new.classes] for rows in (old, new)]
    difference = compare(old, new)["accuracy"]
    return Slide(
        describe_verdict(
            names, (old.scores.accuracy, new.scores.accuracy), difference, evaluation.truth
        ),
        f"On the {len(new):,} faces in both: {describe_difference(difference)}",
        Bars(
            tuple(expression(c).name for c in new.classes),
            {name: tuple(values) for name, values in zip(names, recalls, strict=True)},
            _FOUND,
        ),
    )


def _points(x: NDArray[Any], y: NDArray[Any]) -> tuple[tuple[float, float], ...]:
    """Few enough points for an editable chart."""
    at = np.unique(np.linspace(0, len(x) - 1, _POINTS).round().astype(int))
    return tuple((float(x[i]), float(y[i])) for i in at)
