"""Slides of the evidence atlas, the slices and the robustness: one message each."""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fervt.amounts import from_to, points
from fervt.draw import draw_overlay, png_bytes
from fervt.errors import DataError
from fervt.evaluation.atlas import (
    ATLAS_SOURCES,
    Interval,
    compare_paired_regions,
    compare_regions,
    describe_clear_regions,
    describe_regions,
    describe_template,
    maps_of,
    summarize_maps,
    summarize_regions,
)
from fervt.evaluation.comparison import Joined
from fervt.evaluation.corruptions import CORRUPTIONS, STRENGTHS
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.groups import ANY, FEWEST_TO_JUDGE, LEAST, opposite_groups
from fervt.evaluation.pairs import join_robustness, joined_maps
from fervt.evaluation.parts_report import changes_table, describe_following, describe_rows
from fervt.evaluation.robustness import (
    BREAKS,
    HOLDS,
    Point,
    Robustness,
    corruption_error,
    curves,
    describe_limits,
    labels_of_sample,
    limits,
)
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.slices import search_slices
from fervt.explain.evidence import Source
from fervt.labels import Vocabulary
from fervt.regions import REGIONS
from fervt.reports.deck_parts import Bars, Picture, Slide
from fervt.reports.mean_maps import as_seen, shared_range

_FACE_PX = 560
_RANGE = re.compile(r" \([^)]*\)")  # of a slice's measure, after its name
_MIDDLE = 3  # the strength at which kinds are compared


def evidence_slides(evaluation: SavedEvaluation, rows: Rows) -> Iterator[Slide]:
    """Slides of what was measured besides the predictions, if anything was.

    Args:
        evaluation: What they are about.
        rows: Those of it that count.

    Raises:
        DataError: A file beside the predictions is damaged, or doesn't belong to them.
    """
    evidence, robustness = evaluation.evidence(), evaluation.robustness()
    if evidence is not None and len(rows) >= LEAST:
        yield _mean_map(evidence, rows)
        yield from _right_and_wrong(evidence, rows)
        yield from _slices(evidence, rows)
    if robustness is not None:
        yield from _robustness(robustness, labels_of_sample(robustness, rows))


def compare_evidence(
    evaluation: SavedEvaluation, against: SavedEvaluation, joined: Joined
) -> Iterator[Slide]:
    """Slides of what was measured for both; none that one lacks.

    Args:
        evaluation: The newer one.
        against: The older one.
        joined: The older one and the newer one.

    Raises:
        DataError: As `evidence_slides`.
    """
    pair = [against, evaluation]
    names = against.title, evaluation.title
    evidence = [found for each in pair if (found := each.evidence()) is not None]
    if len(evidence) == len(pair) and len(joined.rows[0]) >= LEAST:
        source = _telling([*set(evidence[0].maps) & set(evidence[1].maps)])
        if source is not None:
            old, new = joined_maps(joined, evidence, source)
            difference = compare_paired_regions(new, old)
            about = ATLAS_SOURCES[source]
            yield Slide(
                _what_differs(difference, names[1], f"than {names[0]}")
                or f"{names[1]} and {names[0]} look at the same regions",
                f"{about.title} by region of the face on the {len(new):,} faces in both; "
                f"the average cell is 1. "
                f"{describe_clear_regions(difference, about.unit, names[1], names[0])}",
                _by_region(dict(zip(names, (old, new), strict=True)), about),
            )
    robustness = [known for each in pair if (known := each.robustness()) is not None]
    if len(robustness) == len(pair):
        yield from _compare_robustness(names, joined, robustness, [e.vocabulary for e in pair])


def _mean_map(evidence: Evidence, rows: Rows) -> Slide:
    source = next(iter(evidence.maps))
    about = ATLAS_SOURCES[source]
    maps = maps_of(evidence, source, rows.table.index.to_numpy())
    summary = summarize_maps(maps)
    face = as_seen(evidence.mean_face, evidence.crop, _FACE_PX)
    colors = shared_range([summary.mean], about)
    drawn = draw_overlay(face, summary.mean, *colors, signed=about.signed)
    regions = describe_regions(summarize_regions(maps).value.tolist(), about.neutral)
    template = describe_template(about.inline, summary)
    if summary.n < FEWEST_TO_JUDGE:
        message = f"The mean {about.inline} map of {summary.n:,} faces"
    elif summary.is_template:
        message = f"The {about.inline} map is nearly the same on every face"
    else:
        message = f"The {about.inline} map depends on the face"
    return Slide(
        message,
        f"{about.title}, the mean over {summary.n:,} faces: {about.meaning} {regions} {template}",
        Picture(png_bytes(drawn), f"Mean {about.inline} over the mean face. {regions}"),
        (f"{about.title}, {about.unit}: {regions[0].lower()}{regions[1:]}", template),
    )


def parts_slides(evaluation: SavedEvaluation) -> Iterator[Slide]:
    """A slide of what each part contributes to all answers, if that was measured.

    Raises:
        DataError: As `evidence_slides`.
    """
    report = evaluation.parts()
    if report is None or not report.changes:
        return
    changes = dict(zip((title for title, *_ in changes_table(report)), report.changes, strict=True))
    costly = {title: change for title, change in changes.items() if change.high < 0}
    message, marked = "None of these changes clearly costs accuracy", None
    if costly:
        marked = min(costly, key=lambda title: costly[title].difference)
        worst = costly[marked]
        message = f"With {worst.name}, it loses {-100 * worst.difference:.1f} points"
    accuracies = {"The whole model": report.accuracy}
    accuracies |= {title: change.accuracy for title, change in changes.items()}
    yield Slide(
        message,
        f"{describe_rows(report, evaluation.label_set)} {describe_following(report)}",
        Bars(
            tuple(accuracies),
            {"Accuracy": tuple(accuracies.values())},
            f"Accuracy with one change, {report.n:,} faces",
            marked=marked,
        ),
    )


def _telling(sources: list[str]) -> str | None:
    """The evidence that says most about single answers, among kinds that bars can show."""
    known = [name for name in ATLAS_SOURCES if name in sources and not ATLAS_SOURCES[name].signed]
    return "grad_cam" if "grad_cam" in known else next(iter(known), None)


def _by_region(maps: dict[str, NDArray[np.float32]], about: Source) -> Bars:
    return Bars(
        tuple(name.capitalize() for name in REGIONS),
        {name: tuple(summarize_regions(each).value.tolist()) for name, each in maps.items()},
        f"{about.title}, {about.unit}",
        as_percent=False,
    )


def _what_differs(difference: Interval, who: str, than: str) -> str | None:
    """The region that differs most, in a sentence; None if none differs clearly."""
    clear = difference.is_clear
    if not clear.any():
        return None
    at = int(np.argmax(np.where(clear, np.abs(difference.value), 0)))
    more = "more" if difference.value[at] > 0 else "less"
    return f"{who} looks {more} at the {list(REGIONS)[at]} {than}"


def _right_and_wrong(evidence: Evidence, rows: Rows) -> Iterator[Slide]:
    source = _telling([*evidence.maps])
    right, wrong = opposite_groups(rows, ANY, ANY)
    if source is None or min(len(right), len(wrong)) < LEAST:
        return
    about = ATLAS_SOURCES[source]
    maps = maps_of(evidence, source, rows.table.index.to_numpy())
    difference = compare_regions(maps[wrong.rows], maps[right.rows])
    yield Slide(
        _what_differs(difference, "When it is wrong, it", "than when it is right")
        or "Right or wrong, it looks at the same regions",
        f"{about.title} by region of the face; the average cell is 1. "
        f"{describe_clear_regions(difference, about.unit, wrong.title, right.title)}",
        _by_region({"Right answers": maps[right.rows], "Wrong answers": maps[wrong.rows]}, about),
    )


def _slices(evidence: Evidence, rows: Rows) -> Iterator[Slide]:
    worst = search_slices(evidence, rows)
    if not worst.slices:
        return
    titles = [f"{each.title[0].upper()}{each.title[1:]}, n = {each.n:,}" for each in worst.slices]
    first, every = worst.slices[0], float(rows.right.mean())
    verdict = (
        f"Its weakest slice: {_RANGE.sub('', first.title)}, {first.accuracy:.0%} right"
        if first.is_clear
        else "No slice of the faces is clearly worse than the rest"
    )
    yield Slide(
        verdict,
        f"The worst of {worst.tried:,} slices by label and measures of the picture; of all faces "
        f"{every:.1%} are right. The interval of the first is {first.low:.0%} to "
        f"{first.high:.0%}, corrected for the number of slices.",
        Bars(
            ("All faces", *titles),
            {"Accuracy": (every, *(each.accuracy for each in worst.slices))},
            "Accuracy",
            marked=titles[0] if first.is_clear else "All faces",
        ),
    )


def _at_middle(by_kind: dict[str, list[Point]]) -> list[tuple[str, str]]:
    """Kinds and their names with the middle strength, the most harmful first."""
    order = sorted(by_kind, key=lambda kind: by_kind[kind][_MIDDLE].accuracy)
    said = [CORRUPTIONS[kind].describe(_MIDDLE) for kind in order]
    return [(kind, f"{s[0].upper()}{s[1:]}") for kind, s in zip(order, said, strict=True)]


def _robustness(found: Robustness, labels: NDArray[np.int64]) -> Iterator[Slide]:
    if found.done <= STRENGTHS or not (labels >= 0).any():
        return
    by_kind, error = curves(found, labels), corruption_error(found, labels)
    clean = next(iter(by_kind.values()))[0].accuracy
    ranked = _at_middle(by_kind)
    worst, named = ranked[0]
    broken = [kind for kind in by_kind if limits(by_kind[kind]).breaks is not None]
    said = f"On {int((labels >= 0).sum()):,} faces. {describe_limits(worst, by_kind[worst])} "
    said += f"A loss of {100 * HOLDS:.0f} points still holds; one of {100 * BREAKS:.0f} breaks it: "
    said += f"{len(broken)} of {len(by_kind)} kinds do so within the strengths tried."
    if error is not None:
        said += f" Mean corruption error: {error.mean:.1%}, against {error.clean:.1%} uncorrupted."
    yield Slide(
        f"What hurts it most: {CORRUPTIONS[worst].describe(_MIDDLE)}, "
        f"{by_kind[worst][_MIDDLE].accuracy:.0%} right instead of {clean:.0%}",
        said,
        Bars(
            ("Uncorrupted", *(name for _, name in ranked)),
            {"Accuracy": (clean, *(by_kind[kind][_MIDDLE].accuracy for kind, _ in ranked))},
            "Accuracy",
            marked=named,
        ),
    )


def _compare_robustness(
    names: tuple[str, str], joined: Joined, found: list[Robustness], vocabularies: list[Vocabulary]
) -> Iterator[Slide]:
    try:
        both = join_robustness(joined, found, vocabularies)
    except DataError:  # they were measured on different faces, so there is nothing to compare
        return
    old, new = both.errors
    if old is None or new is None:
        return
    better = names[1] if new.mean < old.mean else names[0]
    gain = both.gain_of_second
    message = (
        f"Under corruption, {better} is right more often: "
        f"{1 - min(old.mean, new.mean):.1%} against {1 - max(old.mean, new.mean):.1%}"
        if gain is not None and gain.is_clear
        else f"Under corruption, {names[0]} and {names[1]} are about equal: "
        f"{1 - old.mean:.1%} and {1 - new.mean:.1%}"
    )
    size = (
        ""
        if gain is None
        else f": {names[1]} {points(float(gain.value))} (95% interval "
        f"{from_to(100 * float(gain.low), 100 * float(gain.high))})"
    )
    ranked = _at_middle(both.curves[1])
    yield Slide(
        message,
        f"Means over ten kinds at five strengths, on {both.n:,} faces that both were measured on"
        f"{size}. Uncorrupted: {names[0]} {1 - old.clean:.1%}, {names[1]} {1 - new.clean:.1%}. The "
        "chart shows the middle strength.",
        Bars(
            tuple(title for _, title in ranked),
            {
                name: tuple(by_kind[kind][_MIDDLE].accuracy for kind, _ in ranked)
                for name, by_kind in zip(names, both.curves, strict=True)
            },
            "Accuracy",
        ),
    )
