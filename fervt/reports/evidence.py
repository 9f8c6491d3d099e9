"""Where a checkpoint looks, its worst slices and its robustness, as sections of a report."""

from collections.abc import Iterator

import numpy as np

from fervt.draw import draw_overlay
from fervt.errors import DataError
from fervt.evaluation.atlas import (
    ATLAS_SOURCES,
    compare_maps,
    describe_clear_cells,
    describe_template,
    maps_of,
    summarize_maps,
    summarize_regions,
)
from fervt.evaluation.corruptions import CORRUPTIONS, STRENGTHS
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.groups import ANY, LEAST, opposite_groups
from fervt.evaluation.robustness import (
    BREAKS,
    HOLDS,
    Point,
    Robustness,
    corruption_error,
    curves,
    describe_limits,
    labels_of_sample,
)
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.slices import search_slices
from fervt.figures.atlas import difference_figure, region_figure
from fervt.figures.grid import encode_png
from fervt.figures.in_words import say_regions
from fervt.figures.robustness import strength_figure
from fervt.labels import expression
from fervt.reports.mean_maps import as_seen, shared_range
from fervt.reports.render import Block, Chart, Faces, Note, Section, Table

_CARD_PX = 112
PANEL_PX = 340


def evidence_sections(evaluation: SavedEvaluation, rows: Rows) -> Iterator[Section]:
    """What was measured for an evaluation besides its predictions, if anything was.

    Args:
        evaluation: The evaluation.
        rows: Those of it that count.

    Raises:
        DataError: A file beside the predictions is damaged, or doesn't belong to them.
    """
    evidence, robustness = evaluation.evidence(), evaluation.robustness()
    if evidence is not None:
        yield _atlas(evidence, rows)
        yield from _worst(evidence, rows)
    if robustness is not None and robustness.done > STRENGTHS:
        yield _robustness(evaluation, robustness, rows)


def _atlas(evidence: Evidence, rows: Rows) -> Section:
    at = rows.table.index.to_numpy()
    blocks: list[Block] = []
    for source in evidence.maps:
        maps, about = maps_of(evidence, source, at), ATLAS_SOURCES[source]
        by_label = {
            label: summarize_maps(maps[rows.labels == index])
            for index, label in enumerate(rows.classes)
            if (rows.labels == index).sum() >= LEAST
        }
        if not by_label:
            continue
        colors = shared_range([summary.mean for summary in by_label.values()], about)
        faces = []
        for label, summary in by_label.items():
            face = evidence.mean_faces[rows.classes.index(label)]
            seen = as_seen(face, evidence.crop, _CARD_PX)
            picture = draw_overlay(seen, summary.mean, *colors, signed=about.signed)
            faces.append((encode_png(picture), f"{expression(label).name}, n = {summary.n:,}"))
        template = describe_template(about.inline, summarize_maps(maps))
        meaning = f"{about.title}: {about.meaning} {template}"
        blocks += [Note(meaning), Faces(faces)]
    blocks += _right_and_wrong(evidence, rows)
    return Section(
        "Where it looks",
        "The mean map of each label, over the mean face of that label. Maps are about the class "
        "that the model predicted.",
        blocks,
    )


def _right_and_wrong(evidence: Evidence, rows: Rows) -> list[Block]:
    source = next(iter(evidence.maps))
    maps = maps_of(evidence, source, rows.table.index.to_numpy())
    about = ATLAS_SOURCES[source]
    right, wrong = opposite_groups(rows, ANY, ANY)
    if min(len(right), len(wrong)) < LEAST:
        return []
    difference = compare_maps(maps[wrong.rows], maps[right.rows])
    regions = {group.title: summarize_regions(maps[group.rows]) for group in (right, wrong)}
    drawn = {name: (r.value, r.low, r.high) for name, r in regions.items()}
    said = describe_clear_cells(difference, "wrong", "right")
    return [
        Note(
            f"{about.title}, wrong minus right answers. Outlined cells differ clearly, corrected "
            f"for 49 comparisons. {said}"
        ),
        Chart(
            difference_figure(
                None, difference.value, difference.low, difference.high, about.unit, PANEL_PX
            ),
            said,
        ),
        Chart(region_figure(drawn, about.unit, about.neutral), say_regions(drawn, "{:.2f}".format)),
    ]


def _worst(evidence: Evidence, rows: Rows) -> Iterator[Section]:
    worst = search_slices(evidence, rows)
    if not worst.slices:
        return
    lines = [
        (
            each.title[0].upper() + each.title[1:],
            f"{each.accuracy:.1%}",
            f"{100 * each.low:.0f} to {each.high:.0%}",
            f"{each.n:,}",
            "below 0.001" if each.p_value < 0.001 else f"{each.p_value:.3f}",
        )
        for each in worst.slices
    ]
    yield Section(
        "Its worst slices",
        f"The worst of {worst.tried:,} slices by label and measures of the picture, one or two at "
        "a time. Overall accuracy is "
        f"{rows.right.mean():.1%}. Intervals and p-values (Fisher, Holm) are corrected for the "
        "number of slices.",
        [Table(("Faces", "Accuracy", "Interval", "n", "p, corrected"), lines)],
    )


def strength_blocks(kind: str, by_name: dict[str, list[Point]]) -> list[Block]:
    """Accuracy of each checkpoint over the strengths of one corruption, in words and as curves."""
    about = CORRUPTIONS[kind]
    ticks = [about.tick(level) for level in range(STRENGTHS + 1)]
    drawn = {}
    for name, points in by_name.items():
        value, low, high = (
            np.array([getattr(p, key) for p in points]) for key in ("accuracy", "low", "high")
        )
        drawn[name] = value, low, high
    limits = {name: describe_limits(kind, points) for name, points in by_name.items()}
    said = " ".join(
        limit if len(limits) == 1 else f"{name}: {limit}" for name, limit in limits.items()
    )
    said = f"{about.title}. {said}"
    return [Note(said), Chart(strength_figure(ticks, drawn), said)]


def _robustness(evaluation: SavedEvaluation, found: Robustness, rows: Rows) -> Section:
    labels = labels_of_sample(found, rows)
    try:
        by_kind, error = curves(found, labels), corruption_error(found, labels)
    except DataError as problem:
        return Section("Robustness to corruption", str(problem), [])
    blocks: list[Block] = []
    for kind, points in by_kind.items():
        blocks += strength_blocks(kind, {evaluation.title: points})
    counted = int((labels >= 0).sum())
    note = (
        f"Accuracy on {counted:,} faces, at {STRENGTHS} strengths of each kind of corruption "
        f"({len(by_kind)} measured). Holds: loses at most {100 * HOLDS:.0f} points; breaks: loses "
        f"{100 * BREAKS:.0f} or more."
    )
    if error is not None:
        note += (
            f" Mean corruption error {error.mean:.1%}, {100 * error.relative:.1f} points above "
            f"the error on uncorrupted faces."
        )
    return Section("Robustness to corruption", note, blocks)
