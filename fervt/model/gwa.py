"""Grid-Wise Attention: one weight for each cell of a 7x7 grid over the face.

The image becomes 49 patches, one per cell. Patches see each other through self-attention;
then a few learned summary queries, one per head, attend to all patches together. The resulting
distribution, times 49, is the cell weight: 1 means "as much as the average cell".
"""

from typing import Literal

import torch
from torch import Tensor, nn

from fervt.grid import GRID
from fervt.model.transformer import Block

Embedding = Literal["patch", "convolutional"]

_SHARPNESS = 4.0
_STEEPNESS = 8.0


def spread_over_pixels(weights: Tensor, image_size: int) -> Tensor:
    """Repeats cell weights (B, 7, 7) over the pixels of their cells: (B, 1, S, S)."""
    batch, rows, columns = weights.shape
    cell = image_size // columns
    repeated = weights[:, :, None, :, None].expand(batch, rows, cell, columns, cell)
    return repeated.reshape(batch, 1, rows * cell, columns * cell)


class GWA(nn.Module):
    """Weights the cells of a grid by attention across its patches.

    Shapes:
        in: images (B, 3, S, S), S a multiple of 7.
        out: images unchanged; map = weights * images (B, 3, S, S); weights (B, 7, 7), never
            negative, mean 1 over the grid; summary (B, P), the patch features averaged with these
            weights.
    """

    def __init__(
        self,
        image_size: int,
        dim: int = 64,
        heads: int = 4,
        focus: float = 0.4,
        embedding: Embedding = "patch",
    ) -> None:
        super().__init__()
        cell = image_size // GRID
        self.heads, self.focus, self.points = heads, focus, embedding == "convolutional"
        self.embed = (
            convolutional_embedding(cell, dim)
            if self.points
            else nn.Conv2d(3, dim, kernel_size=cell, stride=cell)
        )
        self.position = nn.Parameter(torch.empty(1, GRID * GRID, dim).normal_(std=0.02))
        self.enrich = nn.Sequential(nn.LayerNorm(dim), nn.GELU(), nn.Linear(dim, dim))
        self.context = Block(dim, heads, expansion=2)
        self.norm = nn.LayerNorm(dim)
        self.key = nn.Linear(dim, dim, bias=False)
        self.query = nn.Parameter(torch.empty(heads, dim // heads).normal_())

    def forward(
        self, images: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Weights the cells.

        Args:
            images: (B, 3, S, S).
            weights: (B, 7, 7) or (7, 7) to use in place of the computed ones, None to compute them.

        Returns:
            images, map, weights, summary; see the class for shapes.
        """
        patches, keys = self._embed(images)
        batch, cells, _ = patches.shape
        if weights is None:
            chosen = choose_cells(self._score(keys), self.focus)
            weights = (chosen / chosen.mean(dim=1, keepdim=True)).unflatten(1, (GRID, GRID))
        else:
            weights = weights.expand(batch, GRID, GRID)
        weighted = spread_over_pixels(weights, images.shape[-1]).to(images.dtype) * images
        summary = weights.reshape(batch, 1, cells).to(patches.dtype) @ patches / cells
        return images, weighted, weights, summary.squeeze(1)

    def scores(self, images: Tensor) -> Tensor:
        """The scores behind the weights: images (B, 3, S, S) to one score per cell (B, 7, 7)."""
        _, keys = self._embed(images)
        return self._score(keys).unflatten(1, (GRID, GRID))

    def _embed(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embeds images; returns the patches and the inputs of their keys, both (B, 49, P).

        With the convolutional embedding, keys are made from a patch without its position, and from
        what it gathers from the others: a key with its position would let the same cells be
        selected in every face.
        """
        patches = self.embed(images).flatten(2).transpose(1, 2)
        placed = patches + self.position
        start = placed + self.enrich(placed)
        mixed, _ = self.context(start)
        keys = patches + (mixed - start) if self.points else mixed
        return self.norm(mixed), self.norm(keys)

    def _score(self, patches: Tensor) -> Tensor:
        """Attends to patches (B, 49, P) with all queries; returns scores (B, 49).

        A cell's score is the soft maximum over the queries of its cosine (Henry et al., 2020) with
        the cell's key, so a cell counts if any query selects it. How many cells are selected
        is fixed (`focus` times 49), which ones is learned. Left free, training flattens the weights
        until the map is the image; with only their contrast fixed, it blackens a few corners and
        flattens the rest.
        """
        keys = self.key(patches).float().unflatten(2, (self.heads, -1))
        keys = keys - keys.mean(dim=1, keepdim=True)
        keys = keys / keys.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        queries = nn.functional.normalize(self.query.float(), dim=-1)
        matches = (keys * queries).sum(dim=-1)  # autocast would round a product of matrices
        return (_SHARPNESS * matches).logsumexp(dim=-1)


def convolutional_embedding(cell: int, dim: int) -> nn.Sequential:
    """Three convolutions from an image to one vector per cell: (B, 3, S, S) to (B, dim, 7, 7).

    Unlike one convolution per patch, they see a part of a face the same way wherever it is in its
    cell.

    Args:
        cell: Side of a cell in pixels.
        dim: Channels of the result, a multiple of 4.
    """
    first = 2 if cell % 2 == 0 else 1
    rest = cell // first
    return nn.Sequential(
        nn.Conv2d(3, dim // 4, 3, first, 1, bias=False),
        nn.BatchNorm2d(dim // 4),
        nn.ReLU(inplace=True),
        nn.Conv2d(dim // 4, dim // 2, 3, 1, 1, bias=False),
        nn.BatchNorm2d(dim // 2),
        nn.ReLU(inplace=True),
        nn.Conv2d(dim // 2, dim, rest + 2, rest, 1),
    )


def choose_cells(scores: Tensor, share: float) -> Tensor:
    """Softly selects the top share of the cells: near 1 for them and near 0 for the others.

    A sigmoid whose middle is between the last selected cell and the next one. Its width
    comes from the median cell of the selected and the median of the others, so that neither a
    few outliers nor scores that hardly differ can flatten it.

    Args:
        scores: (B, N).
        share: Of the N cells, 0..1; at least one is selected and at least one is not.

    Returns:
        (B, N), 0..1.
    """
    cells = scores.shape[1]
    count = min(max(round(share * cells), 1), cells - 1)
    ranked = scores.detach().topk(cells, dim=1).values
    middle = ranked[:, count - 1 : count + 1].mean(dim=1, keepdim=True)
    strong, weak = (count - 1) // 2, (count + cells) // 2
    spread = ranked[:, strong : strong + 1] - ranked[:, weak : weak + 1]
    return (_STEEPNESS * (scores - middle) / spread.clamp_min(1e-6)).sigmoid()
