"""Where it looks: evidence averaged over classes, cells of the confusion matrix and selections."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.draw import draw_overlay
from fervt.evaluation.atlas import (
    ATLAS_SOURCES,
    Interval,
    MapSummary,
    compare_edges,
    compare_maps,
    compare_regions,
    describe_clear_cells,
    describe_clear_regions,
    describe_regions,
    describe_template,
    maps_of,
    summarize_maps,
    summarize_regions,
)
from fervt.evaluation.evidence import LEAST_FACES, Evidence
from fervt.evaluation.groups import ANY, LEAST, Group, chosen_groups, opposite_groups
from fervt.evaluation.measuring import mean_face
from fervt.figures.atlas import difference_figure, edge_difference_figure, region_figure
from fervt.figures.graph import graph_figure
from fervt.figures.in_words import say_edges, say_map, say_regions
from fervt.figures.overlay import overlay_figure
from fervt.predict import Predictor
from fervt.reports.mean_maps import as_seen, shared_range
from fervt.ui.charts import say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.evaluation.measured import (
    drop_selection,
    evidence_of,
    positions_of,
    selected_in_map,
)
from fervt.ui.evaluation.mistakes import LABEL, PREDICTED, wanted_cell
from fervt.ui.evaluation.selection import EvaluationView
from fervt.ui.text import as_text

_CARD_PX = 224
_FACE_PX = 448
_PANEL_PX = 330


def show_where_it_looks(view: EvaluationView, predictor: Predictor) -> None:
    """Draws the atlas: a mean map per class, and a comparison of two groups."""
    evidence = evidence_of(view, predictor)
    if evidence is None:
        return
    source = pick_source(evidence)
    maps = maps_of(evidence, source, positions_of(view))
    _show_classes(view, evidence, source, maps)
    st.divider()
    groups = _pick_groups(view)
    show_groups(view, evidence, source, maps, *groups)


def pick_source(evidence: Evidence) -> str:
    """Draws the choice of the source of evidence."""
    source = pick_one(
        "Evidence",
        "evidence",
        {name: about.title for name, about in ATLAS_SOURCES.items() if name in evidence.maps},
        next(iter(evidence.maps)),
    )
    st.caption(ATLAS_SOURCES[source].meaning)
    return source


def _show_classes(
    view: EvaluationView, evidence: Evidence, source: str, maps: NDArray[np.float32]
) -> None:
    by = pick_one(
        "A map for each",
        "by",
        {"label": "Label", "prediction": "Prediction"},
        "label",
        label_visibility="collapsed",
    )
    groups = view.rows.labels if by == "label" else view.rows.predicted
    about = ATLAS_SOURCES[source]
    found: dict[int, MapSummary] = {}
    for index in range(len(view.names)):
        members = groups == index
        if members.sum() >= LEAST:
            found[index] = summarize_maps(maps[members])
    if not found:
        st.info("Every class has fewer than two faces here.")
        return
    low, high = shared_range([each.mean for each in found.values()], about)
    say(
        f"Mean map of each {by}",
        "Over the mean face of that class. One color scale for all: "
        + ("blue below 0, orange above, " if about.signed else f"clear up to {low:.2f}, orange ")
        + f"up to {high:.2f} {about.unit}.",
    )
    with st.grid(min_column_width=130):
        for index, summary in found.items():
            with st.container(gap="xxsmall"):
                face = _face_of(view, evidence, groups == index, index)
                picture = draw_overlay(face, summary.mean, low, high, signed=about.signed)
                title = f"{view.names[index]}, n = {summary.n:,}"
                st.image(picture, width="stretch", alt=f"Mean map of {title}")
                st.caption(title)
    st.markdown(describe_template(about.inline, summarize_maps(maps)))


def _face_of(
    view: EvaluationView, evidence: Evidence, rows: NDArray[np.bool_], label: int | None = None
) -> NDArray[np.uint8]:
    """The mean face of some rows as the model sees it: of the faces at hand, or a stored one."""
    stored = evidence.mean_face if label is None else evidence.mean_faces[label]
    face = stored
    if view.faces is not None and rows.sum() >= LEAST_FACES:
        images = view.rows.table["image_sha256"][rows].tolist()
        # Not cached if the file lacks a face: the next visitor's may have it.
        if (data := view.faces.select(images)) is not None:
            face = view.evaluation.remember(
                ("mean face", view.key, rows.tobytes()), lambda: mean_face(data.images)
            )
    return as_seen(face, evidence.crop, _FACE_PX)


def _pick_groups(view: EvaluationView) -> tuple[Group, Group]:
    label, predicted = wanted_cell(view)
    selected = selected_in_map(view)
    say(
        "One group against another",
        "Right against wrong, a cell of the confusion matrix against the right answers of its "
        "label, or a selection in the map against all others.",
    )
    if selected is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{int(selected.sum()):,} faces selected in the map**", width="content")
            st.button("Clear the selection", icon=":material/close:", on_click=drop_selection)
        return chosen_groups(selected, "the selected faces")
    titles = {ANY: "Any", **dict(zip(view.rows.classes, view.names, strict=True))}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pick_one("Label", LABEL, titles, ANY, draw=st.selectbox)
        pick_one("Prediction", PREDICTED, {**titles, "wrong": "Wrong"}, ANY, draw=st.selectbox)
    return opposite_groups(view.rows, label, predicted)


def show_groups(
    view: EvaluationView,
    evidence: Evidence,
    source: str,
    maps: NDArray[np.float32],
    group: Group,
    other: Group,
) -> None:
    """Draws two groups of the view's rows, their difference, regions, spread and edges."""
    for each in (group, other):
        if len(each) < LEAST:
            st.info(f"A mean map needs at least two faces; {each.title} has {len(each)}.")
            return
    about = ATLAS_SOURCES[source]
    own, others = summarize_maps(maps[group.rows]), summarize_maps(maps[other.rows])
    difference = compare_maps(maps[group.rows], maps[other.rows])
    title, against = (f"{g.title[0].upper()}{g.title[1:]}" for g in (group, other))
    face = _face_of(view, evidence, group.rows)
    low, high = shared_range([own.mean, others.mean], about)
    columns = st.columns(3, gap="medium")
    for column, summary, name, shown in (
        (columns[0], own, title, face),
        (columns[1], others, against, _face_of(view, evidence, other.rows)),
    ):
        with column:
            say(name, f"Mean of {summary.n:,} faces, {about.unit}.")
            figure = overlay_figure(
                shown,
                summary.mean,
                unit="",  # on a wide panel it would cover the bar's numbers
                signed=about.signed,
                range_=(low, high),
                height_px=_PANEL_PX,
            )
            said = say_map(f"Mean map, {name}", summary.mean, "{:.2f}".format)
            show_chart(figure, f"mean_{name}", said)
    with columns[2]:
        say("Their difference", "Outlined: clear at 95%, corrected for 49 cells.")
        figure = difference_figure(
            face, difference.value, difference.low, difference.high, about.unit, _PANEL_PX
        )
        sentence = describe_clear_cells(difference, group.title, other.title)
        show_chart(figure, "difference", sentence)
    st.markdown(as_text(sentence))
    left, right = st.columns([3, 2], gap="large")
    with left:
        say(
            "By region of the face",
            "Mean of a region's cells; the crop has a fixed geometry. 95% intervals, corrected for "
            "the number of regions.",
        )
        regions = {
            name: summarize_regions(maps[each.rows])
            for name, each in ((title, group), (against, other))
        }
        drawn = {name: (r.value, r.low, r.high) for name, r in regions.items()}
        figure = region_figure(drawn, about.unit, about.neutral)
        show_chart(figure, "regions", say_regions(drawn, "{:.2f}".format))
        apart = compare_regions(maps[group.rows], maps[other.rows])
        said = describe_clear_regions(apart, about.unit, group.title, other.title)
        st.markdown(as_text(said))
        st.caption(
            f"{title}: {describe_regions(regions[title].value.tolist(), about.neutral).lower()}"
        )
    with right:
        say(
            "How much single faces vary",
            f"Standard deviation over the {own.n:,} faces, {about.unit}.",
        )
        figure = overlay_figure(face, own.spread, unit="", stretch=True, height_px=_PANEL_PX)
        show_chart(figure, "spread", say_map("Spread over faces", own.spread, "{:.2f}".format))
        st.caption(describe_template(about.inline, own))
    if evidence.edges is not None and source == "gat":
        at = positions_of(view)
        attention = [evidence.edges.attention(at[each.rows]) for each in (group, other)]
        show_edges(
            face,
            evidence.edges.index,
            attention[0].mean(axis=0),
            compare_edges(*attention),
            f"{title}, {len(group):,} faces",
            other.title,
        )


def show_edges(
    face: NDArray[np.uint8],
    index: NDArray[np.int64],
    mean: NDArray[np.floating],
    difference: Interval,
    title: str,
    other: str,
) -> None:
    """Draws mean attention (E,) along the graph's edges, and the edges that differ clearly.

    Args:
        face: What the model sees of a face, (h, w, 3).
        index: (2, E), rows source and target.
        mean: (E,) of a group.
        difference: (E,), the group minus another.
        title: Of the group.
        other: Title of the other one, as used in a sentence.
    """
    count = int(difference.is_clear.sum())
    left, right = st.columns(2, gap="large")
    with left:
        say("The graph's mean edges", f"{title}; arrows point at the target.")
        figure = graph_figure(face, index, mean, stretch=True, face_px=_PANEL_PX)
        show_chart(figure, "mean_edges", say_edges("Mean attention", index, mean))
    with right:
        say(
            "Edges that differ",
            f"{count} of {len(mean)} edges differ clearly from {other}: red has more attention, "
            f"blue less. Corrected for {len(mean)} comparisons.",
        )
        figure = edge_difference_figure(
            face, index, difference.value, difference.is_clear, _PANEL_PX
        )
        clear = np.where(difference.is_clear, np.abs(difference.value), 0.0)
        said = f"{count} edges differ clearly from {other}"
        show_chart(figure, "edge_difference", say_edges(said, index, clear) if count else said)
