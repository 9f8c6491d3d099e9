"""An evaluation in plain words, every number filled in."""

from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.words import (
    HUMAN_ACCURACY,
    caveats,
    describe_interval,
    describe_worst_mistake,
    unseen,
)
from fervt.labels import FER2013, Vocabulary, expression
from fervt.metrics import PEOPLE_SIDE_WITH_LABEL


def summarize(
    evaluation: SavedEvaluation, rows: Rows, truth: Vocabulary, rule: str = ""
) -> list[str]:
    """The answer in a few sentences, the most important first.

    Args:
        evaluation: The evaluation.
        rows: Those of it that count.
        truth: The label set that counts as right.
        rule: How `rows` were chosen, in sentences; people were measured on all faces alone.
    """
    scores = rows.scores
    worst, best = scores.occurring[0], scores.occurring[-1]
    classes = (
        ""
        if best == worst
        else f"It is best at {expression(best).name} (F1 {scores.per_class[best].f1:.2f}) and "
        f"weakest at {expression(worst).name} (F1 {scores.per_class[worst].f1:.2f}). "
    )
    sentences = [
        f"{evaluation.title} names the labeled expression in {scores.accuracy:.1%} of "
        f"{scores.n:,} faces of {evaluation.split}{unseen(rows, evaluation.metrics)} (95% interval "
        f"{describe_interval(scores)}).",
        f"{classes}Its most frequent mistake is {describe_worst_mistake(scores)}.",
        f"Its stated confidence is off by {100 * scores.ece_calibrated:.1f} points on average.",
    ]
    own = rows.select(~rows.table["is_copy"].to_numpy())
    if unseen(rows, evaluation.metrics) and 0 < len(own) < len(rows):
        sentences.insert(
            1,
            f"Without those {len(rows) - len(own):,} faces it is {own.right.mean():.1%}.",
        )
    if truth is FER2013 and not evaluation.of_own_images:
        if evaluation.is_comparable and not rule:
            sentences.append(f"People reach {HUMAN_ACCURACY} on this data set.")
        sides = rows.people
        errors = int((sides >= 0).sum())
        if errors and rows.has_votes:
            other = errors - int((sides == PEOPLE_SIDE_WITH_LABEL).sum())
            sentences.append(
                f"In {other:,} of its {errors:,} errors ({other / errors:.0%}), the majority of "
                "ten later annotators does not back the label either."
            )
    return sentences + caveats(evaluation.metrics, truth)
