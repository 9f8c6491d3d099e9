"""The numbers behind the figures: stage statistics, facts about the graph, node similarity."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from fervt.explain.trace import Array, Trace


@dataclass(frozen=True)
class StageStatistics:
    """Statistics of a stage's values.

    Attributes:
        stage: Name of the stage.
        shape: Its shape for one face, as text.
        mean: Mean of the finite values, as the next three; NaN where there is none.
        std: Standard deviation.
        min: Smallest.
        max: Largest.
        nan_share: Share of NaN values, 0..1; it should be 0.
    """

    stage: str
    shape: str
    mean: float
    std: float
    min: float
    max: float
    nan_share: float


def stage_statistics(trace: Trace) -> list[StageStatistics]:
    """Statistics of every stage that the checkpoint has, in the order of the data's flow."""
    stages: list[tuple[str, NDArray[np.floating] | None]] = [
        ("input (denormalized)", trace.model_input),
        ("input (normalized)", trace.image),
        ("GWA weights", trace.gwa_weights),
        ("weighted input", trace.gwa_map),
        ("fused features", trace.fused_features),
        ("node features", trace.node_features),
        ("node features after graph attention", trace.graph_features),
        ("graph attention", trace.gat_attention),
        ("backbone's last map", trace.feature_map),
        ("tokens", trace.tokens),
        ("transformer attention", trace.transformer_attention),
        ("logits", trace.logits),
        ("probabilities", trace.probabilities),
    ]
    return [_describe(name, values) for name, values in stages if values is not None]


def _describe(name: str, values: NDArray[np.floating]) -> StageStatistics:
    shape = " × ".join(str(size) for size in values.shape)
    finite = values[np.isfinite(values)]
    if not finite.size:
        finite = np.array([np.nan])
    return StageStatistics(
        stage=name,
        shape=shape,
        mean=float(finite.mean()),
        std=float(finite.std()),
        min=float(finite.min()),
        max=float(finite.max()),
        nan_share=float(np.isnan(values).mean()),
    )


def graph_facts(edge_index: NDArray[np.int64]) -> dict[str, Any]:
    """Facts of a graph, from its edges (2, E), rows source and target.

    Returns:
        nodes, directed_edges (self-loops among them), self_loops, neighbors (how many nodes have
        how many neighbors besides themselves), connected.
    """
    nodes, ends = np.unique(edge_index, return_inverse=True)
    sources, targets = ends.reshape(2, -1)
    count = len(nodes)
    joined = np.zeros((count, count), bool)
    joined[sources, targets] = True
    neighbors = (joined | joined.T) & ~np.eye(count, dtype=bool)
    values, counts = np.unique(neighbors.sum(axis=1), return_counts=True)
    pieces, _ = connected_components(joined, directed=True, connection="strong")
    return {
        "nodes": count,
        "directed_edges": int(edge_index.shape[1]),
        "self_loops": int(joined.diagonal().sum()),
        "neighbors": dict(zip(values.tolist(), counts.tolist(), strict=True)),
        "connected": pieces == 1,
    }


def facts_as_text(facts: dict[str, Any]) -> str:
    """The facts of `graph_facts` in one sentence or two."""
    neighbors = ", ".join(f"{n} nodes have {k}" for k, n in facts["neighbors"].items())
    return (
        f"{facts['nodes']} nodes and {facts['directed_edges']} directed edges, "
        f"{facts['self_loops']} of them self-loops; neighbors: {neighbors}. "
        f"{'Every node can be reached from every other.' if facts['connected'] else 'In pieces.'}"
    )


def node_similarity(nodes: Array) -> Array:
    """Cosine similarity (49, 49), -1..1, of node features (49, F); 0 for a node of zeros."""
    length = np.linalg.norm(nodes, axis=1, keepdims=True)
    unit = np.divide(nodes, length, out=np.zeros_like(nodes), where=length > 0)
    return np.clip(unit @ unit.T, -1, 1)
