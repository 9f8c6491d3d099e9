"""The face as a graph: 49 cells, edges between neighbors, two layers of graph attention.

Edges are directed, source to target; attention sums to 1 over the edges that enter a target.
"""

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from fervt.grid import GRID
from fervt.model.pooling import average_onto

NODES = GRID * GRID

Pooling = Literal["mean", "max", "attention", "gwa", "contrast"]


def grid_edges(side: int = GRID) -> Tensor:
    """Edges of a 4-connected grid, row 0 at the top: (2, E), rows source and target.

    First both directions of every neighbor pair, then one self-loop per node: 168 + 49 = 217 for
    side 7.
    """
    node = np.arange(side * side).reshape(side, side)
    right = np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()])
    down = np.stack([node[:-1].ravel(), node[1:].ravel()])
    loops = np.stack([node.ravel(), node.ravel()])
    edges = np.concatenate([right, right[::-1], down, down[::-1], loops], axis=1)
    return torch.from_numpy(edges)


class GraphConstructor(nn.Module):
    """Turns fused features into the nodes of the grid graph.

    Three convolutions give each node features of its cell and its surroundings (a receptive field
    of 15 pixels), averaged onto the grid.

    Shapes:
        in: fused features (B, 3, S, S).
        out: node features (B, 49, F); edge_index (2, 217) of one image.
    """

    edge_index: Tensor

    def __init__(self, node_dim: int) -> None:
        super().__init__()
        channels = (3, node_dim // 4, node_dim // 2, node_dim)
        layers: list[nn.Module] = []
        for index, stride in enumerate((2, 2, 1)):
            layers += [
                nn.Conv2d(channels[index], channels[index + 1], 3, stride, 1, bias=False),
                nn.BatchNorm2d(channels[index + 1]),
                nn.ReLU(inplace=True),
            ]
        self.encode = nn.Sequential(*layers)
        self.position = nn.Parameter(torch.empty(1, NODES, node_dim).normal_(std=0.02))
        self.register_buffer("edge_index", grid_edges(), persistent=False)

    def forward(self, fused: Tensor) -> tuple[Tensor, Tensor]:
        """Builds nodes; the edges are a constant, made once."""
        cells = average_onto(self.encode(fused), GRID, GRID)
        return cells.flatten(2).transpose(1, 2) + self.position, self.edge_index


class GraphAttention(nn.Module):
    """One graph attention layer (Velickovic et al., 2018) on a residual path.

    Its weights and their names are those of `torch_geometric.nn.GATConv(in_dim, out_dim // heads,
    heads, residual=True)`, and so are its results. That layer gathers and scatters along edges,
    which pays for large sparse graphs; on 49 nodes a dense matrix of scores, masked where there is
    no edge, is faster and exports to other engines.

    Shapes:
        in: nodes (B, N, in_dim); mask (N, N), rows targets and columns sources, 0 where there is
            an edge and minus infinity elsewhere.
        out: nodes (B, N, out_dim); attention (B, H, N, N), rows (targets) sum to 1.
    """

    def __init__(self, in_dim: int, out_dim: int, heads: int) -> None:
        super().__init__()
        size = out_dim // heads
        self.lin = nn.Linear(in_dim, out_dim, bias=False)
        self.res = nn.Linear(in_dim, out_dim, bias=False)
        self.att_src = nn.Parameter(torch.empty(1, heads, size))
        self.att_dst = nn.Parameter(torch.empty(1, heads, size))
        self.bias = nn.Parameter(torch.zeros(out_dim))
        for matrix in (self.lin.weight, self.res.weight, self.att_src, self.att_dst):
            glorot_(matrix)

    def forward(self, nodes: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Passes messages along the edges; see the class for shapes."""
        heads, size = self.att_src.shape[1:]
        values = self.lin(nodes).unflatten(2, (heads, size)).transpose(1, 2)
        ends = values @ torch.stack([self.att_dst[0], self.att_src[0]], dim=2)
        target, source = ends.chunk(2, dim=3)
        scores = nn.functional.leaky_relu(target + source.transpose(2, 3), 0.2)
        attention = (scores + mask).softmax(dim=3)
        mixed = (attention @ values).transpose(1, 2).flatten(2)
        return mixed + self.res(nodes) + self.bias, attention


def glorot_(matrix: Tensor) -> None:
    """Fills a matrix (..., rows, columns) as PyTorch Geometric does (Glorot and Bengio, 2010)."""
    limit = math.sqrt(6 / sum(matrix.shape[-2:]))
    nn.init.uniform_(matrix, -limit, limit)


class AttentionGNN(nn.Module):
    """Two graph attention layers, each followed by a normalization.

    Shapes:
        in: nodes (B, 49, F); edge_index (2, 217) of one image.
        out: nodes (B, 49, D); one attention (B, 217, H) per layer, in the order of edge_index.
    """

    def __init__(self, node_dim: int, dim: int, heads: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(GraphAttention(size, dim, heads) for size in (node_dim, dim))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))

    def forward(self, nodes: Tensor, edge_index: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Passes messages along the edges of every image of the batch at once."""
        source, target = edge_index
        count = nodes.shape[1]
        place = target * count + source  # of each edge in a flattened (N, N) matrix
        mask = torch.full((count * count,), -math.inf, device=nodes.device)
        mask = mask.index_fill(0, place, 0.0).view(count, count)
        attentions = []
        # Too small to gain from autocast, which would round the scores.
        with torch.autocast(nodes.device.type, enabled=False):
            nodes = nodes.float()
            for layer, norm in zip(self.layers, self.norms, strict=True):
                nodes, attention = layer(nodes, mask)
                nodes = nn.functional.elu(norm(nodes))
                attentions.append(attention.flatten(2).index_select(2, place).transpose(1, 2))
        return nodes, tuple(attentions)


class GraphPooling(nn.Module):
    """One vector for the whole graph: nodes (B, 49, D) to (B, D).

    Takes their mean, maximum, an attention of its own, their mean weighted by GWA's cell weights,
    or that weighted mean's contrast to the plain one: what distinguishes GWA's selected cells from
    the average cell, so equal weights give zero.
    """

    def __init__(self, dim: int, kind: Pooling = "mean") -> None:
        super().__init__()
        self.kind = kind
        self.score = nn.Linear(dim, 1, bias=False) if kind == "attention" else None

    def forward(self, nodes: Tensor, cell_weights: Tensor | None = None) -> Tensor:
        """Pools over the nodes.

        Args:
            nodes: (B, 49, D).
            cell_weights: (B, 7, 7), mean 1 over the grid; "gwa" and "contrast" read them, and
                take the plain mean if they are None.
        """
        if self.kind in ("gwa", "contrast") and cell_weights is not None:
            weights = cell_weights.flatten(1).unsqueeze(2).to(nodes.dtype)
            return ((weights - 1 if self.kind == "contrast" else weights) * nodes).mean(dim=1)
        if self.score is not None:
            return (self.score(nodes).softmax(dim=1) * nodes).sum(dim=1)
        return nodes.amax(dim=1) if self.kind == "max" else nodes.mean(dim=1)
