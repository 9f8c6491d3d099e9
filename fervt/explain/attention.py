"""Reading attention: the graph's, edge by edge, and the transformer's, rolled out."""

import numpy as np
from numpy.typing import NDArray

from fervt.explain.trace import Array
from fervt.grid import GRID


def edge_attention(attention: Array, layer: int | None = None, head: int | None = None) -> Array:
    """Picks a graph layer and head, or their mean if None.

    Args:
        attention: (L, E, H).
        layer: 0-based.
        head: 0-based.

    Returns:
        (E,), 0..1; still sums to 1 over the edges into each target.
    """
    by_layer = attention.mean(axis=0) if layer is None else attention[layer]
    return by_layer.mean(axis=1) if head is None else by_layer[:, head]


def cell_attention(edges: Array, edge_index: NDArray[np.int64]) -> Array:
    """How much each cell is attended to by its neighbors and itself.

    Args:
        edges: (E,) attention of the edges.
        edge_index: (2, E), source and target.

    Returns:
        (7, 7), the sum over the edges that leave a cell, its self-loop among them. The mean over
        the grid is 1, as for GWA's weights. With uniform attention border cells get a bit less
        than 1, since they have fewer neighbors.
    """
    total = np.bincount(edge_index[0], weights=edges, minlength=GRID * GRID)
    return total.reshape(GRID, GRID).astype(np.float32)


def attention_rollout(attention: Array) -> Array:
    """Attention through all blocks, residual paths included (Abnar and Zuidema, 2020).

    Args:
        attention: (blocks, H, N, N), rows sum to 1.

    Returns:
        (N, N), rows sum to 1; row 0 is the attribution of the class token.
    """
    count = attention.shape[-1]
    result = np.eye(count)
    for block in attention.mean(axis=1, dtype=np.float64):
        result = (0.5 * block + 0.5 * np.eye(count)) @ result
    return result.astype(np.float32)
