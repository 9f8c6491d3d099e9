"""The Explain page's tokens: attention between tokens, and the effect of each part."""

import streamlit as st

from fervt.amounts import points
from fervt.explain import attention_rollout
from fervt.figures.in_words import list_values, say_extremes, say_largest_cell
from fervt.figures.matrix import token_attention_figure
from fervt.reports.explanation import part_effects, part_figure
from fervt.ui.address import bound
from fervt.ui.charts import say, show_chart
from fervt.ui.explain.selection import ExplainedFace

_ALL = "mean"
_POINTER = " Equal GWA weights select no cell, which also silences this checkpoint's graph."


def show_tokens(view: ExplainedFace) -> None:
    """Draws the transformer's attention, its rollout, and the prediction without each part."""
    trace = view.explanation.trace
    attention = trace.transformer_attention
    config = view.predictor.info.config
    blocks, heads = attention.shape[:2]
    left, right = st.columns(2, gap="large")
    with left:
        say(
            "Attention among tokens",
            "Rows are queries, columns are keys; each row sums to 1. L1 to L3 are the "
            "backbone's levels, fine to coarse.",
            "attention",
        )
        with st.grid(2, min_column_width=100):
            block = _pick_number("Block", "block", blocks)
            head = _pick_number("Attention head", "token_head", heads)
        chosen = attention.mean(axis=0) if block == _ALL else attention[int(block) - 1]
        chosen = chosen.mean(axis=0) if head == _ALL else chosen[int(head) - 1]
        names = trace.token_names
        said = say_largest_cell("Attention, query to key", names, names, chosen, "{:.0%}".format)
        show_chart(token_attention_figure(chosen, trace.token_names), "tokens", said)
    with right:
        say(
            "What the class token is made of",
            "Attention rolled out through all blocks, residual paths included.",
        )
        rollout = attention_rollout(attention)
        figure = token_attention_figure(rollout[:1], trace.token_names)
        figure.update_traces(showscale=False)
        show_chart(figure, "rollout", say_extremes("Rollout", names, rollout[0], "{:.0%}".format))
        say(
            "What each part is worth",
            f"How the {view.score_name} changes when a token is dropped, or the "
            "graph or GWA is made neutral. A part that changes nothing did not matter here."
            + (
                _POINTER
                if config.use_gwa and config.use_gnn and config.graph_pooling == "contrast"
                else ""
            ),
        )
        parts, effects = part_effects(view.explanation, view.target)
        what = f"Change of the {view.score_name} without a part"
        said = list_values(what, parts, effects, points)
        show_chart(part_figure(view.explanation, view.target), "parts", said)


def _pick_number(title: str, name: str, count: int) -> str:
    options = [_ALL, *(str(number) for number in range(1, count + 1))]
    return st.selectbox(title, options, key=bound(name, options, _ALL), bind="query-params")
