"""Where two checkpoints look on the same faces, and how robust each of them is."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
import streamlit as st

from fervt.amounts import points
from fervt.errors import DataError
from fervt.evaluation.atlas import (
    ATLAS_SOURCES,
    compare_paired,
    compare_paired_edges,
    compare_paired_regions,
    describe_clear_cells,
    describe_clear_regions,
    summarize_maps,
    summarize_regions,
)
from fervt.evaluation.groups import ANY, LEAST
from fervt.evaluation.pairs import join_robustness, joined_edges, joined_maps
from fervt.evaluation.parts_report import compare_changes, describe_following, describe_rows
from fervt.evaluation.robustness import describe_limits
from fervt.figures.atlas import difference_figure, region_figure
from fervt.figures.in_words import say_map, say_regions
from fervt.figures.overlay import overlay_figure
from fervt.reports.mean_maps import as_seen, shared_range
from fervt.ui.charts import say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.compare.selection import Comparison, pick_other
from fervt.ui.evaluation.holds_up import pick_figure, show_kind
from fervt.ui.evaluation.selection import percent
from fervt.ui.evaluation.where_it_looks import show_edges
from fervt.ui.text import as_text

_PANEL_PX = 330
_FACE_PX = 448

T = TypeVar("T")


def _show_parts(comparison: Comparison, pair: Sequence[int]) -> None:
    """Whether their attention follows the face, and what each part contributes."""
    found, rows = {}, []
    for at in pair:
        name, evaluation = comparison.names[at], comparison.evaluations[at]
        report = _read(name, "Parts", evaluation.parts)
        if report is not None:
            found[name] = report
            st.markdown(f"**{as_text(name)}**: {describe_following(report)}")
            rows.append(f"{name}: {describe_rows(report, evaluation.label_set)}")
    if not any(report.changes for report in found.values()):
        return
    with st.expander("What each part contributes", icon=":material/extension:"):
        table = pd.DataFrame(compare_changes([*found.values()]), columns=["With", *found])
        st.table(table, border="horizontal", hide_index=True)
        said = "Change of the accuracy in points, with its paired 95% interval."
        st.caption(as_text(" ".join([said, *rows])))


def show_atlases(comparison: Comparison) -> None:
    """Draws two checkpoints' mean maps on the same faces, and their difference."""
    other = pick_other(comparison)
    _show_parts(comparison, (0, other))
    found = {}
    for at in (0, other):
        evidence = _read(
            comparison.names[at], "Where it looks", comparison.evaluations[at].evidence
        )
        if evidence is None:
            return
        found[at] = evidence
    first, second = found[0], found[other]
    shared = {
        key: about.title
        for key, about in ATLAS_SOURCES.items()
        if key in first.maps and key in second.maps
    }
    label_titles = {
        ANY: "Any",
        **dict(zip(comparison.rows[0].classes, comparison.class_names, strict=True)),
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = pick_one("Evidence", "evidence", shared, next(iter(shared)))
        label = pick_one("Label", "label", label_titles, ANY, draw=st.selectbox)
    about = ATLAS_SOURCES[source]
    joined = comparison.joined
    pair = type(joined)((joined.rows[0], joined.rows[other]), joined.left_out, joined.longest)
    maps, others = joined_maps(pair, [first, second], source)
    kept = np.ones(len(maps), bool)
    if label != ANY:
        kept = joined.rows[0].labels == joined.rows[0].classes.index(label)
        maps, others = maps[kept], others[kept]
    if len(maps) < LEAST:
        st.info(f"A mean map needs at least two faces; this selection has {len(maps)}.")
        return
    names = comparison.names[0], comparison.names[other]
    difference = compare_paired(others, maps)
    face = as_seen(first.mean_face, first.crop, _FACE_PX)
    summaries = summarize_maps(maps), summarize_maps(others)
    low, high = shared_range([each.mean for each in summaries], about)
    columns = st.columns(3, gap="medium")
    for column, name, summary in zip(columns, names, summaries, strict=False):
        with column:
            say(name, f"Mean of {summary.n:,} faces; the mean map explains "
                f"{summary.template_share:.0%} of the variance.")  # fmt: skip
            figure = overlay_figure(
                face,
                summary.mean,
                unit="",
                signed=about.signed,
                range_=(low, high),
                height_px=_PANEL_PX,
            )
            said = say_map(f"Mean map, {name}", summary.mean, "{:.2f}".format)
            show_chart(figure, f"atlas_{name}", said)
    sentence = describe_clear_cells(difference, names[1], names[0])
    with columns[2]:
        say(
            f"{names[1]} minus {names[0]}",
            f"On the same faces, {about.unit}. Outlined: clear at 95%, corrected for 49 cells.",
        )
        figure = difference_figure(
            face, difference.value, difference.low, difference.high, about.unit, _PANEL_PX
        )
        show_chart(figure, "atlas_difference", sentence)
    st.markdown(as_text(sentence))
    regions = {
        name: summarize_regions(each) for name, each in zip(names, (maps, others), strict=True)
    }
    say("By region of the face", "Mean of a region's cells, with 95% intervals.")
    drawn = {name: (r.value, r.low, r.high) for name, r in regions.items()}
    figure = region_figure(drawn, about.unit, about.neutral)
    show_chart(figure, "atlas_regions", say_regions(drawn, "{:.2f}".format))
    apart = compare_paired_regions(others, maps)
    st.markdown(as_text(describe_clear_regions(apart, about.unit, names[1], names[0])))
    edges = joined_edges(pair, [first, second]) if source == "gat" else None
    if edges is not None and first.edges is not None:
        plain, changed = (each[kept] for each in edges)
        show_edges(
            face,
            first.edges.index,
            changed.mean(axis=0),
            compare_paired_edges(changed, plain),
            f"{names[1]}, {len(changed):,} faces",
            f"those of {names[0]}",
        )


def show_robustness(comparison: Comparison) -> None:
    """Draws all checkpoints' curves over the strength of each corruption."""
    found = []
    for name, evaluation in zip(comparison.names, comparison.evaluations, strict=True):
        each = _read(name, "Robustness", evaluation.robustness)
        if each is None:
            return
        found.append(each)
    try:
        joined = join_robustness(
            comparison.joined, found, [e.vocabulary for e in comparison.evaluations]
        )
    except DataError as error:
        st.info(as_text(error))
        return
    say(
        "Accuracy on corrupted images",
        f"{joined.n:,} faces that all of them were measured on. The relative figure is a "
        f"checkpoint's mean corruption error as a multiple of that of {comparison.names[0]}.",
    )
    with st.container(horizontal=True):
        first = joined.errors[0]
        for name, total in zip(comparison.names, joined.errors, strict=True):
            if total is None or first is None:
                continue
            ratio = (
                f", {total.mean / first.mean:.2f} × the first"
                if total is not first and first.mean
                else ""
            )
            st.metric(
                f"{name}: mean corruption error",
                percent(total.mean),
                f"{points(total.relative)}{ratio}",
                delta_color="off",
            )
    figure = pick_figure(found[0])
    with st.grid(min_column_width=300):
        for kind in joined.curves[0]:
            by_name = {
                name: each[kind] for name, each in zip(comparison.names, joined.curves, strict=True)
            }
            with st.container(border=True):
                show_kind(kind, by_name, figure)
                for name, curve in by_name.items():
                    st.caption(f"{name}: {describe_limits(kind, curve)}")


def _read(name: str, tab: str, read: Callable[[], T | None]) -> T | None:
    """What was measured besides predictions; if nothing was, draws why and returns None.

    Args:
        name: The checkpoint's.
        tab: Where the Evaluation page has it.
        read: Reads it; may raise DataError.
    """
    try:
        found = read()
    except DataError as error:
        st.warning(as_text(error), icon=":material/link_off:")
        return None
    if found is None:
        st.info(
            f"This hasn't been measured for {name} yet. Evaluation has it under “{tab}”.",
            icon=":material/center_focus_strong:",
        )
    return found
