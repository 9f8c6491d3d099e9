"""Charts in one sentence each, for screen readers."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.figures.grid import Values
from fervt.grid import GRID
from fervt.regions import REGIONS, region_of

Form = Callable[[float], str]


def list_values(
    what: str, names: Sequence[str], values: Sequence[float] | Values, form: Form
) -> str:
    """Every value by name: "Accuracy: first 70%, second 66%"."""
    said = [f"{name} {form(float(v))}" for name, v in zip(names, values, strict=True)]
    return f"{what}: {', '.join(said)}"


def say_extremes(what: str, names: Sequence[str], values: Values, form: Form) -> str:
    """The largest and the smallest of named values: "F1: highest for Happy (0.86), lowest ...".

    Args:
        what: What the values are.
        names: K.
        values: (K,), NaN where there is none.
        form: A value in words.
    """
    known = [(float(v), n) for v, n in zip(values, names, strict=True) if not np.isnan(v)]
    if not known:
        return f"{what}: no values"
    (low, last), (high, first) = min(known), max(known)
    if first == last:
        return f"{what}: {first} {form(high)}"
    return f"{what}: highest for {first} ({form(high)}), lowest for {last} ({form(low)})"


def say_largest_cell(
    what: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Values,
    form: Form,
    *,
    diagonal: bool = True,
) -> str:
    """The cell of a matrix that stands out: "Confusion: most from Fear to Sad (20%)".

    Args:
        what: What the values are.
        rows: R.
        columns: C.
        values: (R, C); the one with the largest magnitude is named.
        form: A value in words.
        diagonal: Whether a row may be named with its own column.
    """
    sizes = np.abs(np.nan_to_num(np.asarray(values, float)))
    if not diagonal:
        np.fill_diagonal(sizes, 0.0)
    row, column = (int(at) for at in np.unravel_index(int(sizes.argmax()), sizes.shape))
    if not sizes[row, column]:
        return f"{what}: none"
    value = form(float(values[row, column]))
    return f"{what}: most from {rows[row]} to {columns[column]} ({value})"


def say_mistakes(names: Sequence[str], shares: Values) -> str:
    """The most frequent mistake of a confusion matrix.

    Args:
        names: C, of the classes.
        shares: (C, C) of each label's faces, rows labels, columns predictions.
    """
    what = "Confusion matrix, label to prediction, in shares of a label's faces"
    return say_largest_cell(what, names, names, shares, "{:.0%}".format, diagonal=False)


def say_people(counts: Sequence[int], titles: Sequence[str]) -> str:
    """How errors divide by whom the annotators side with.

    Args:
        counts: K, of errors.
        titles: K sides.
    """
    total = sum(counts)
    if not total:
        return "There are no errors to ask the annotators about."
    parts = [
        f"{title}, {count:,} ({count / total:.0%})"
        for title, count in zip(titles, counts, strict=True)
    ]
    return f"Whom the annotators side with in {total:,} errors: {'; '.join(parts)}."


def say_map(what: str, values: Values, form: Form) -> str:
    """Where a map over the face peaks: "Mean map: most on the mouth, in row 5, column 3 (1.80)".

    Args:
        what: What the map shows.
        values: (H, W); rows and columns count from 0.
        form: A value in words.
    """
    row, column = (int(at) for at in np.unravel_index(int(np.argmax(values)), values.shape))
    where = f"in row {row}, column {column}"
    if values.shape == (GRID, GRID):
        where = f"on the {region_of(row, column)}, {where}"
    return f"{what}: most {where} ({form(float(values[row, column]))})"


def say_regions(groups: Mapping[str, tuple[Values, ...]], form: Form) -> str:
    """Which region of the face has most and least in each group.

    Args:
        groups: By name: values in the order of `REGIONS`, and what else the figure takes.
        form: A value in words.
    """
    names = list(REGIONS)
    return "; ".join(say_extremes(name, names, value, form) for name, (value, *_) in groups.items())


def say_edges(what: str, edge_index: NDArray[np.integer], weights: Values) -> str:
    """Between which two cells the heaviest edge runs.

    Args:
        what: What is drawn.
        edge_index: (2, E), rows source and target; loops don't count.
        weights: (E,).
    """
    between = np.flatnonzero(edge_index[0] != edge_index[1])
    best = between[int(np.argmax(weights[between]))]
    source, target = (name_cell(*divmod(int(node), GRID)) for node in edge_index[:, best])
    return f"{what}: strongest from {source} to {target}"


def name_cell(row: int, column: int) -> str:
    """A cell in words: "Mouth (row 5, column 3)"."""
    return f"{region_of(row, column).capitalize()} (row {row}, column {column})"


def say_reliability(
    bins: Mapping[str, tuple[Values, Values, NDArray[np.integer]]],
) -> str:
    """How sure each is on average beside how often it is right.

    Args:
        bins: By name: mean confidence, accuracy and count of each bin.
    """
    said = []
    for name, (confidence, accuracy, count) in bins.items():
        kept = np.asarray(count) > 0
        if not kept.any():
            continue
        sure, right = (np.average(np.asarray(v)[kept], weights=count[kept])
                       for v in (confidence, accuracy))  # fmt: skip
        said.append(f"{name}, {sure:.0%} sure on average and right on {right:.0%}")
    return f"Share of right answers against stated confidence: {'; '.join(said)}"


def say_risk(curves: Mapping[str, tuple[Values, Values]]) -> str:
    """What answering only the surer half of the faces gains.

    Args:
        curves: By name: coverage, rising, and risk.
    """
    said = []
    for name, (coverage, risk) in curves.items():
        half = float(np.interp(0.5, coverage, risk))
        said.append(f"{name} is wrong on {float(risk[-1]):.0%} of all faces and on "
                    f"{half:.0%} of the surer half")  # fmt: skip
    return f"Wrong answers against faces answered: {'; '.join(said)}"


def say_leaders(what: str, steps: Sequence[str], names: Sequence[str], values: Values) -> str:
    """Which of several curves leads where: "Blur: Happy leads from 0 to 2, then Neutral to 4".

    Args:
        what: What changes along the axis.
        steps: S, of the axis.
        names: C, of the curves.
        values: (S, C).
    """
    leads = [(names[int(i)], step) for i, step in zip(values.argmax(axis=1), steps, strict=True)]
    runs = [(name, [step for _, step in run]) for name, run in groupby(leads, lambda one: one[0])]
    (first, at), *others = runs
    said = f"{what}: {first} leads from {at[0]} to {at[-1]}"
    return said + "".join(f", then {name} to {at[-1]}" for name, at in others)


def say_course(what: str, curves: Mapping[str, Sequence[float | None]], form: Form) -> str:
    """Where curves start and end: "Accuracy over 30 epochs: Training from 31% to 75%".

    Args:
        what: What is drawn.
        curves: Values by name, None if one is missing.
        form: A value in words.
    """
    said = []
    for name, values in curves.items():
        known = [float(value) for value in values if value is not None]
        if known:
            said.append(f"{name} from {form(known[0])} to {form(known[-1])}")
    return f"{what}: {', '.join(said)}" if said else f"{what}: no values"


def say_training(title: str, figure: go.Figure) -> str:
    """Where one of `evaluation_curves.training_figures` starts and ends.

    Args:
        title: Its title.
        figure: The figure.
    """
    curves = {line.name: line.y for line in figure.data}
    form = "{:.1%}".format if title == "Accuracy" else "{:.3g}".format
    return say_course(f"{title} over {len(figure.data[0].x)} epochs", curves, form)
