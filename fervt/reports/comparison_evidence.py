"""Where two checkpoints look on the same faces, and how robust each is, as sections of a report."""

from collections.abc import Iterator

from fervt.draw import draw_overlay
from fervt.errors import DataError
from fervt.evaluation.atlas import (
    ATLAS_SOURCES,
    compare_paired,
    compare_paired_regions,
    describe_clear_cells,
    describe_clear_regions,
    describe_template,
    summarize_maps,
    summarize_regions,
)
from fervt.evaluation.comparison import Joined
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.groups import LEAST
from fervt.evaluation.pairs import join_robustness, joined_maps
from fervt.evaluation.parts_report import compare_changes, describe_following, describe_rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.figures.atlas import difference_figure, region_figure
from fervt.figures.grid import encode_png
from fervt.figures.in_words import say_regions
from fervt.reports.evidence import PANEL_PX, strength_blocks
from fervt.reports.mean_maps import as_seen, shared_range
from fervt.reports.render import Block, Chart, Faces, Note, Section, Table

_FACE_PX = 224


def compare_evidence(
    against: SavedEvaluation, evaluation: SavedEvaluation, joined: Joined
) -> Iterator[Section]:
    """What was measured for both besides their predictions; nothing that one lacks.

    Args:
        against: The older one.
        evaluation: The newer one.
        joined: Both.

    Raises:
        DataError: A file beside the predictions is damaged, or doesn't belong to them.
    """
    pair = against, evaluation
    evidence = [found for each in pair if (found := each.evidence()) is not None]
    if len(evidence) == len(pair) and len(joined.rows[0]) >= LEAST:
        yield _atlases((against.title, evaluation.title), joined, evidence)
    yield from _robustness(against, evaluation, joined)
    yield from _parts(against, evaluation)


def _atlases(names: tuple[str, str], joined: Joined, evidence: list[Evidence]) -> Section:
    blocks: list[Block] = []
    face = as_seen(evidence[1].mean_face, evidence[1].crop, _FACE_PX)
    for source, about in ATLAS_SOURCES.items():
        if any(source not in each.maps for each in evidence):
            continue
        old, new = joined_maps(joined, evidence, source)
        summaries = [summarize_maps(maps) for maps in (old, new)]
        colors = shared_range([each.mean for each in summaries], about)
        pictures = [
            (
                encode_png(draw_overlay(face, each.mean, *colors, signed=about.signed)),
                f"{name}: the mean map explains {each.template_share:.0%}",
            )
            for name, each in zip(names, summaries, strict=True)
        ]
        cells, apart = compare_paired(new, old), compare_paired_regions(new, old)
        said = describe_clear_cells(cells, names[1], names[0])
        regions = {
            name: summarize_regions(each) for name, each in zip(names, (old, new), strict=True)
        }
        drawn = {name: (r.value, r.low, r.high) for name, r in regions.items()}
        blocks += [
            Note(f"{about.title}: {about.meaning} {describe_template(about.inline, summaries[1])}"),
            Faces(pictures),
            Note(f"{said} {describe_clear_regions(apart, about.unit, names[1], names[0])}"),
            Chart(
                difference_figure(None, cells.value, cells.low, cells.high, about.unit, PANEL_PX),
                said,
            ),
            Chart(
                region_figure(drawn, about.unit, about.neutral), say_regions(drawn, "{:.2f}".format)
            ),
        ]
    return Section(
        f"Where it looks, against {names[0]}",
        f"Mean maps over the {len(joined.rows[0]):,} faces in both, {names[1]} minus "
        f"{names[0]}. Outlined cells differ clearly, corrected for 49 comparisons.",
        blocks,
    )


def _parts(against: SavedEvaluation, evaluation: SavedEvaluation) -> Iterator[Section]:
    pair = against, evaluation
    measured = {each.title: found for each in pair if (found := each.parts()) is not None}
    if len(measured) < len(pair):
        return
    said = [f"{name}: {describe_following(found)}" for name, found in measured.items()]
    rows = [f"{each.title}: {describe_rows(measured[each.title], each.label_set)}" for each in pair]
    yield Section(
        f"What each part contributes, against {against.title}",
        "Change of the accuracy in points, with its paired 95% interval.",
        [
            *(Note(each) for each in said),
            Table(("With", *measured), compare_changes([*measured.values()])),
            Note(" ".join(rows)),
        ],
    )


def _robustness(
    against: SavedEvaluation, evaluation: SavedEvaluation, joined: Joined
) -> Iterator[Section]:
    pair = against, evaluation
    found = [known for each in pair if (known := each.robustness()) is not None]
    if len(found) < len(pair):
        return
    try:
        both = join_robustness(joined, found, [each.vocabulary for each in pair])
    except DataError:  # they were measured on different faces, so there is nothing to compare
        return
    names = against.title, evaluation.title
    old, new = both.errors
    note = f"Accuracy on the {both.n:,} faces that both were measured on."
    if old is not None and new is not None:
        note += f" Mean corruption error: {names[1]} {new.mean:.1%}, {names[0]} {old.mean:.1%}" + (
            f" (ratio {new.mean / old.mean:.2f})." if old.mean else "."
        )
    blocks: list[Block] = []
    for kind in both.curves[1]:
        by_name = {name: each[kind] for name, each in zip(names, both.curves, strict=True)}
        blocks += strength_blocks(kind, by_name)
    yield Section(f"Robustness to corruption, against {names[0]}", note, blocks)
