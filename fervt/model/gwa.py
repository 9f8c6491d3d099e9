"""Grid-Wise Attention: how much each cell of a 7x7 grid over the face matters, as one number.

The image is cut into 49 patches that don't overlap. Patches see each other through self-attention;
then a few learned summary queries, one a head, attend to all patches together. The resulting
distribution, times 49, is the cell weight: 1 means "as much as the average cell".
"""

import math

import torch
from torch import Tensor, nn

from fervt.model.transformer import Block

GRID = 7

_SHARPNESS = 4.0
_STEEPEST = 1000.0


def spread_over_pixels(weights: Tensor, image_size: int) -> Tensor:
    """Repeats cell weights (B, 7, 7) over the pixels of their cells: (B, 1, S, S)."""
    cell = image_size // weights.shape[-1]
    return weights.repeat_interleave(cell, 1).repeat_interleave(cell, 2).unsqueeze(1)


class GWA(nn.Module):
    """Weighs the cells of a grid by attention across its patches.

    Shapes:
        in: images (B, 3, S, S), S a multiple of 7.
        out: images as they came; map = weights * images (B, 3, S, S); weights (B, 7, 7), positive,
            mean 1 over the grid; summary (B, P), the patch features averaged with these weights.
    """

    def __init__(self, image_size: int, dim: int = 64, heads: int = 4, focus: float = 0.55) -> None:
        super().__init__()
        cell = image_size // GRID
        self.heads, self.focus = heads, focus
        self.embed = nn.Conv2d(3, dim, kernel_size=cell, stride=cell)
        self.position = nn.Parameter(torch.randn(1, GRID * GRID, dim) * 0.02)
        self.enrich = nn.Sequential(nn.LayerNorm(dim), nn.GELU(), nn.Linear(dim, dim))
        self.context = Block(dim, heads, expansion=2)
        self.norm = nn.LayerNorm(dim)
        self.key = nn.Linear(dim, dim, bias=False)
        self.query = nn.Parameter(torch.randn(heads, dim // heads))

    def forward(
        self, images: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Weighs the cells.

        Args:
            images: (B, 3, S, S).
            weights: (B, 7, 7) or (7, 7) to use in place of the computed ones, None to compute them.

        Returns:
            images, map, weights, summary; see the class for shapes.
        """
        patches = self.embed(images).flatten(2).transpose(1, 2) + self.position
        patches, _ = self.context(patches + self.enrich(patches))
        patches = self.norm(patches)
        batch, cells, _ = patches.shape
        if weights is None:
            weights = self._weigh(patches)
        else:
            weights = weights.expand(batch, GRID, GRID)
        weighted = spread_over_pixels(weights, images.shape[-1]).to(images.dtype) * images
        summary = torch.einsum("bn,bnd->bd", weights.flatten(1).to(patches.dtype), patches) / cells
        return images, weighted, weights, summary

    def _weigh(self, patches: Tensor) -> Tensor:
        """Attends to patches (B, 49, P) with all queries; returns weights (B, 7, 7).

        A cell's score is the soft maximum over the queries of its cosine (Henry et al., 2020) with
        the cell's key, so a cell counts if any query asks for it. How many cells the weights dwell
        on is given (their perplexity is `focus` times 49), which ones is learned. Left free,
        training flattens the weights until the map is the image; with only their contrast given,
        it blackens a few corners and flattens the rest.
        """
        keys = self.key(patches).float().unflatten(2, (self.heads, -1))
        keys = nn.functional.normalize(keys - keys.mean(dim=1, keepdim=True), dim=-1)
        queries = nn.functional.normalize(self.query.float(), dim=-1)
        matches = torch.einsum("bnhd,hd->bnh", keys, queries)
        scores = (_SHARPNESS * matches).logsumexp(dim=-1)
        spread = scores.std(dim=1, keepdim=True, correction=0)
        scores = (scores - scores.mean(dim=1, keepdim=True)) / (spread + 1e-4)
        sharpened = scores * sharpness_for(scores.detach(), self.focus * scores.shape[1])
        return sharpened.softmax(dim=-1).unflatten(1, (GRID, GRID)) * scores.shape[1]


def sharpness_for(scores: Tensor, perplexity: float) -> Tensor:
    """The factor at which a softmax of scores spreads over so many cells.

    As t-SNE finds its kernel widths (van der Maaten & Hinton, 2008, section 2): by bisection, since
    the entropy falls with the factor.

    Args:
        scores: (B, N), standardised.
        perplexity: 1..N, the exponential of the entropy in nats.

    Returns:
        (B, 1), at most 1000, which only scores that are practically equal need.
    """
    low, high = torch.zeros_like(scores[:, :1]), torch.full_like(scores[:, :1], _STEEPEST)
    for _ in range(20):
        middle = (low + high) / 2
        log_weights = (middle * scores).log_softmax(dim=-1)
        entropy = -(log_weights.exp() * log_weights).sum(dim=-1, keepdim=True)
        spread = entropy > math.log(perplexity)
        low, high = torch.where(spread, middle, low), torch.where(spread, high, middle)
    return (low + high) / 2
