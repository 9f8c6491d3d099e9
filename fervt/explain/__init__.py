"""Explanations as arrays, all on the 7x7 grid that the model uses."""

from fervt.explain.ablation import PartEffect
from fervt.explain.attention import attention_rollout, cell_attention, edge_attention
from fervt.explain.evidence import (
    SOURCES,
    CellReading,
    Explanation,
    Target,
    explain_face,
    rank_correlations,
    read_cell,
)
from fervt.explain.faithfulness import Faithfulness, measure_faithfulness
from fervt.explain.grad_cam import grad_cam
from fervt.explain.grid import seen_part
from fervt.explain.occlusion import occlude
from fervt.explain.statistics import (
    facts_as_text,
    graph_facts,
    node_similarity,
    stage_statistics,
)
from fervt.explain.trace import Trace, trace_face
from fervt.explain.twin import untrained_twin
from fervt.explain.what_if import CHANGES, WhatIf, what_if

__all__ = [
    "CHANGES",
    "SOURCES",
    "CellReading",
    "Explanation",
    "Faithfulness",
    "PartEffect",
    "Target",
    "Trace",
    "WhatIf",
    "attention_rollout",
    "cell_attention",
    "edge_attention",
    "explain_face",
    "facts_as_text",
    "grad_cam",
    "graph_facts",
    "measure_faithfulness",
    "node_similarity",
    "occlude",
    "rank_correlations",
    "read_cell",
    "seen_part",
    "stage_statistics",
    "trace_face",
    "untrained_twin",
    "what_if",
]
