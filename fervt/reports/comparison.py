"""Two saved evaluations of one split, compared face by face."""

from fervt.amounts import from_to, points, signed
from fervt.evaluation.comparison import Joined, compare
from fervt.evaluation.words import describe_difference, explain_mcnemar
from fervt.figures.evaluation_confusion import confusion_change_figure
from fervt.figures.in_words import say_largest_cell
from fervt.labels import expression
from fervt.metrics import mcnemar
from fervt.reports.render import Chart, Note, Section, Table


def verdict(names: tuple[str, str], joined: Joined) -> str:
    """Whether the newer one is better, in a sentence or two.

    Args:
        names: Of the older and the newer one.
        joined: Both.
    """
    old, new = joined.rows
    difference, test = compare(old, new)["accuracy"], mcnemar(old.right, new.right)
    where = f", on the {len(new):,} faces in both" if len(new) < joined.longest else ""
    return (
        f"Against {names[0]}{where}: {describe_difference(difference)} "
        f"{explain_mcnemar(test, *names)}"
    )


def comparison(names: tuple[str, str], joined: Joined) -> Section:
    """Differences of the two on the faces in both; as `verdict`."""
    old, new = joined.rows
    differences = compare(old, new)
    lines = [
        (
            title,
            form.format(getattr(old.scores, key)),
            form.format(getattr(new.scores, key)),
            signed(scale * d.value, f".{digits}f"),
            from_to(scale * d.low, scale * d.high, f".{digits}f"),
        )
        for title, key, form, scale, digits in (
            ("Accuracy", "accuracy", "{:.2%}", 100, 2),
            ("Macro-F1", "macro_f1", "{:.3f}", 1, 3),
        )
        for d in [differences[key]]
    ]
    table = Table(("Figure", *names, "Difference", "95% (paired)"), lines)
    left_out = f" Without {', '.join(joined.left_out)}." if joined.left_out else ""
    note = (
        f"{len(new):,} of {joined.longest:,} faces are in both.{left_out} "
        f"{explain_mcnemar(mcnemar(old.right, new.right), *names)}"
    )
    change = new.scores.confusion_shares - old.scores.confusion_shares
    classes = [expression(label).name for label in new.classes]
    what = "Difference of the confusion matrices, label to prediction"
    said = say_largest_cell(what, classes, classes, change, points)
    caption = Note("Change of each row's shares in points; red is more often.")
    return Section(
        f"Against {names[0]}",
        note,
        [table, caption, Chart(confusion_change_figure(change, classes), said)],
    )
