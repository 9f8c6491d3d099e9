"""The Explain page's linked evidence: maps, graph, one cell's numbers, and their agreement."""

import numpy as np
import pandas as pd
import streamlit as st

from fervt.amounts import points, signed
from fervt.explain import (
    SOURCES,
    cell_attention,
    edge_attention,
    rank_correlations,
    read_cell,
)
from fervt.figures.graph import graph_figure
from fervt.figures.grid import Values
from fervt.figures.in_words import say_edges, say_map
from fervt.figures.matrix import correlation_figure
from fervt.figures.overlay import overlay_figure
from fervt.grid import GRID
from fervt.reports.explanation import overlay_options
from fervt.ui.address import OFF_OR_ON, bound
from fervt.ui.charts import say, show_chart
from fervt.ui.explain.selection import ExplainedFace, every_cell, mark_cell, show_clickable

_ALL = "mean"
_DIRECTIONS = {
    "strongest": "Ten strongest",
    "all": "All edges",
    "into": "Into the cell",
    "out": "Out of the cell",
    "both": "Both",
}
_NODE_COLOURS = {"plain": "Plain", "norm": "Feature norm", "received": "Attention received"}


def show_evidence(view: ExplainedFace) -> None:
    """Draws the sections that are linked by clicks on a cell."""
    maps = view.explanation.maps(view.target)
    left, right = st.columns(2, gap="large")
    with left:
        _show_overlay(view, maps)
    with right:
        edges = _show_graph(view)
    with st.container(border=True):
        _show_cell(view, edges)
    left, right = st.columns([6, 5], gap="medium")
    with left:
        _show_table(view, maps)
    with right:
        say(
            "Do the sources agree?",
            "Rank correlation of the maps: 1 means the same order of cells, 0 no relation.",
        )
        figure = correlation_figure(rank_correlations(maps), [SOURCES[key].title for key in maps])
        show_chart(figure, "correlations", _describe_agreement(maps))


def _show_overlay(view: ExplainedFace, maps: dict[str, Values]) -> None:
    say("On the face", "One source of evidence at a time, over the part that the model sees.")
    with st.grid(2, min_column_width=130):
        first = next(iter(maps))
        titles = [source.title for source in SOURCES.values()]
        key = st.selectbox(
            "Source",
            list(SOURCES),
            index=list(SOURCES).index(first),
            key=bound("source", titles, SOURCES[first].title),
            bind="query-params",
            format_func=lambda name: SOURCES[name].title,
        )
        opacity = _pick_percent("Opacity", "opacity")
    source = SOURCES[key]
    if key not in maps:
        part = "grid-wise attention (GWA)" if key == "gwa" else "the graph"
        st.info(f"This checkpoint was built without {part}, so it has no such map.")
        return
    about = "" if source.neutral else f" Target: {view.target_name}."
    st.caption(source.meaning + about)
    stretch = st.toggle("Stretch colors", key=bound("stretch", *OFF_OR_ON), bind="query-params")
    figure = overlay_figure(
        view.seen,
        maps[key],
        **overlay_options(key, maps[key]),
        stretch=stretch,
        opacity=opacity / 100,
        cell=view.cell,
    )
    said = say_map(f"{source.title} over the face", maps[key], "{:.2f}".format)
    show_clickable(figure, "overlay", view.cell, said)


def _show_graph(view: ExplainedFace) -> Values | None:
    """Draws the graph and its choices; returns the attention it shows."""
    say(
        "Graph attention",
        "Arrows run from source to target; a ring is a cell's attention to itself.",
        "gat",
    )
    trace = view.explanation.trace
    if trace.gat_attention is None or trace.edge_index is None or trace.node_features is None:
        st.info("This checkpoint was built without the graph, so there is nothing to show here.")
        return None
    layers, _, heads = trace.gat_attention.shape
    with st.grid(2, min_column_width=130):
        direction = st.selectbox(
            "Edges",
            list(_DIRECTIONS),
            key=bound("edges", list(_DIRECTIONS.values()), _DIRECTIONS["strongest"]),
            bind="query-params",
            format_func=_DIRECTIONS.__getitem__,
            help="Into or out of the marked cell; without a marked cell all stand out.",
        )
        color = st.selectbox(
            "Nodes",
            list(_NODE_COLOURS),
            key=bound("nodes", list(_NODE_COLOURS.values()), _NODE_COLOURS["plain"]),
            bind="query-params",
            format_func=_NODE_COLOURS.__getitem__,
        )
    with st.grid(3, min_column_width=90):
        layer = _pick_one("Layer", layers, "layer")
        head = _pick_one("Head", heads, "head")
        dimming = _pick_percent("Darken the face", "dim")
    edges = edge_attention(trace.gat_attention, layer, head)
    nodes = {
        "plain": None,
        "norm": np.linalg.norm(trace.node_features, axis=1),
        "received": cell_attention(edges, trace.edge_index),
    }[color]
    figure = graph_figure(
        view.seen,
        trace.edge_index,
        edges,
        nodes=nodes,
        node_unit=_NODE_COLOURS[color].lower(),
        direction=direction,
        dimming=dimming / 100,
        cell=view.cell,
    )
    said = say_edges("Graph attention over the face", trace.edge_index, edges)
    show_clickable(figure, "graph", view.cell, said)
    return edges


def _describe_agreement(maps: dict[str, Values]) -> str:
    """Which two maps agree most, in one sentence."""
    table, keys = rank_correlations(maps), list(maps)
    pairs = [(i, j) for i in range(len(keys)) for j in range(i)]
    if not pairs:
        return "Rank correlations: there is only one map"
    i, j = max(pairs, key=lambda pair: np.nan_to_num(table[pair], nan=-2.0))
    first, second = SOURCES[keys[j]].title, SOURCES[keys[i]].title
    return f"Rank correlations: {first} and {second} agree most, {table[i, j]:.2f}"


def _pick_one(title: str, count: int, key: str) -> int | None:
    """A choice of one index or the mean: 0-based, None for the mean."""
    options = [_ALL, *(str(number) for number in range(1, count + 1))]
    chosen = st.selectbox(title, options, key=bound(key, options, _ALL), bind="query-params")
    return None if chosen == _ALL else int(chosen) - 1


def _pick_percent(title: str, key: str) -> int:
    step, most, default = 10, 100, 60
    steps = [str(value) for value in range(0, most + 1, step)]
    key = bound(key, steps, str(default))
    return st.slider(title, 0, most, default, step, key=key, bind="query-params", format="%d%%")


def _show_cell(view: ExplainedFace, edges: Values | None) -> None:
    if view.cell is None:
        st.markdown("**Click a cell** on the face, in the graph or in the table to read it here.")
        return
    row, column = view.cell
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        with st.container(width="content"):
            say(
                f"Cell: row {row}, column {column}",
                "What each source says about it.",
            )
        st.button("Unmark", icon=":material/close:", on_click=mark_cell, args=(None,))
    reading = read_cell(view.explanation, view.target, view.cell, edges)
    with st.grid(4, min_column_width=150):
        for key, value in reading.values.items():
            st.metric(
                SOURCES[key].title,
                signed(value, ".3f") if SOURCES[key].signed else f"{value:.3g}",
                f"rank {reading.ranks[key]} of 49",
                delta_color="off",
                delta_arrow="off",
                help=f"{SOURCES[key].meaning} Unit: {SOURCES[key].unit}.",
            )
    st.caption(
        f"Hiding it changes the {view.score_name} by **{points(-reading.values['occlusion'])}**."
    )
    if reading.attention_in:
        _show_neighbors(view, reading.attention_in, reading.attention_out)


def _show_neighbors(view: ExplainedFace, into: dict, out: dict) -> None:
    assert view.cell is not None
    row, column = view.cell
    places = {
        "above": (row - 1, column),
        "left": (row, column - 1),
        "itself": (row, column),
        "right": (row, column + 1),
        "below": (row + 1, column),
    }
    shown = {name: place for name, place in places.items() if place in into}
    table = pd.DataFrame(
        {
            "attention": ["source → this cell", "this cell → target"],
            **{name: [into[place], out[place]] for name, place in shown.items()},
        }
    )
    numbers = {name: st.column_config.NumberColumn(format="%.3f") for name in shown}
    st.dataframe(
        table, hide_index=True, column_config=numbers, alt="Attention between the cell and others"
    )


def _show_table(view: ExplainedFace, maps: dict[str, Values]) -> None:
    say("All cells", "Sort by any column; a click at the left of a row marks its cell.")
    table = pd.DataFrame(
        {
            "marked": ["▶" if cell == view.cell else "" for cell in every_cell()],
            "cell": [f"{row}, {column}" for row, column in every_cell()],
        }
    )
    for key, values in maps.items():
        table[SOURCES[key].title] = np.asarray(values).ravel()
    key = f"cells_{view.cell}"
    st.dataframe(
        table,
        hide_index=True,
        height=300,
        key=key,
        on_select=lambda: _take_row(key),
        selection_mode="single-row",
        column_config={
            "marked": st.column_config.TextColumn("", width=24),
            "cell": st.column_config.TextColumn("cell", width=48),
            **{
                SOURCES[name].title: st.column_config.NumberColumn(
                    SOURCES[name].title, width=112 if name == "gat" else 76, format="%.3f"
                )
                for name in maps
            },
        },
        alt="Every source for every cell",
    )


def _take_row(key: str) -> None:
    for index in st.session_state[key].selection.rows:
        mark_cell(divmod(int(index), GRID))
