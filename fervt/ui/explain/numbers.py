"""The Explain page's numbers: statistics of every stage, the graph's facts, node similarity."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import streamlit as st

from fervt.explain import facts_as_text, graph_facts, node_similarity, stage_statistics
from fervt.figures.matrix import similarity_figure
from fervt.ui.charts import say, show_chart
from fervt.ui.explain.selection import ExplainedFace


def show_numbers(view: ExplainedFace) -> None:
    """Draws the tables and the two similarity matrices."""
    trace = view.explanation.trace
    say("Every stage", "What the values of each stage look like for this face.")
    rows = stage_statistics(trace)
    spread = {
        name: st.column_config.NumberColumn(format="%.3g") for name in ("mean", "std", "min", "max")
    }
    st.dataframe(
        pd.DataFrame([asdict(row) for row in rows]).rename(columns={"nan_share": "share of NaN"}),
        hide_index=True,
        height="content",
        column_config=spread,
        alt="Statistics of every stage",
    )
    broken = [row.stage for row in rows if row.nan_share > 0]
    if broken:
        st.error(f"NaN values in: {', '.join(broken)}.")
    if trace.edge_index is None or trace.node_features is None or trace.graph_features is None:
        st.info("This checkpoint was built without the graph, so it has no nodes to compare.")
        return
    say("The graph", facts_as_text(graph_facts(trace.edge_index)))
    say(
        "Node similarity",
        "Cosine between the features of the 49 cells, row by row, before and after graph "
        "attention." + ("" if view.cell is None else " The outlined line is the marked cell."),
    )
    for column, name, nodes in zip(
        st.columns(2, gap="large"),
        ("Before", "After"),
        (trace.node_features, trace.graph_features),
        strict=True,
    ):
        with column:
            st.caption(name)
            similarity = node_similarity(nodes)
            alike = similarity[~np.eye(len(similarity), dtype=bool)].mean()
            said = f"Node similarity {name.lower()} graph attention: {alike:.2f} on average"
            show_chart(similarity_figure(similarity, view.cell), f"similarity_{name}", said)
