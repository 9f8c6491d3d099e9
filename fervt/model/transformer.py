"""The visual token transformer: it classifies from the class token and returns its attention.

Attention weights are a return value, computed by an explicit softmax, so that pictures of them show
what the model used and one model can serve many callers at once.
"""

import torch
from torch import Tensor, nn


class MultiHeadedSelfAttention(nn.Module):
    """Scaled dot-product attention among tokens (Vaswani et al., 2017, eq. 1).

    Shapes:
        in: tokens (B, N, D); keep (B, N) bool or None, False hides a token as a key.
        out: tokens (B, N, D); attention (B, H, N, N), rows (queries) sum to 1.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.project = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mixes the tokens; see the class for shapes."""
        batch, count, dim = tokens.shape
        query, key, value = (
            part.unflatten(2, (self.heads, dim // self.heads)).transpose(1, 2)
            for part in self.qkv(tokens).chunk(3, dim=2)
        )
        scores = query @ key.transpose(-2, -1) * (dim // self.heads) ** -0.5
        if keep is not None:
            scores = scores.masked_fill(~keep[:, None, None, :], float("-inf"))
        attention = scores.float().softmax(dim=-1)
        mixed = attention.to(value.dtype) @ value
        return self.project(mixed.transpose(1, 2).reshape(batch, count, dim)), attention


class PositionWiseFeedForward(nn.Module):
    """Two linear layers with a GELU between, applied to each token: (B, N, D) to (B, N, D)."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Linear(dim, hidden)
        self.contract = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Transforms every token in the same way."""
        return self.contract(nn.functional.gelu(self.expand(tokens)))


class Block(nn.Module):
    """A pre-norm transformer block: attention, then feed-forward, each on a residual path."""

    def __init__(self, dim: int, heads: int, dropout: float = 0.0, expansion: int = 4) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = MultiHeadedSelfAttention(dim, heads)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward = PositionWiseFeedForward(dim, expansion * dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Maps tokens (B, N, D) to tokens (B, N, D) and attention (B, H, N, N)."""
        mixed, attention = self.attention(self.attention_norm(tokens), keep)
        tokens = tokens + self.dropout(mixed)
        tokens = tokens + self.dropout(self.feed_forward(self.feed_forward_norm(tokens)))
        return tokens, attention


class Transformer(nn.Module):
    """A stack of blocks: tokens (B, N, D) to tokens and one attention (B, H, N, N) per block."""

    def __init__(self, dim: int, depth: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(dim, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, tokens: Tensor, keep: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Runs all blocks and the final normalization."""
        attentions = []
        for block in self.blocks:
            tokens, attention = block(tokens, keep)
            attentions.append(attention)
        return self.norm(tokens), tuple(attentions)


class VTA(nn.Module):
    """Visual token attention: transformer, and classifier on the class token.

    Shapes:
        in: tokens (B, N, D), token 0 is the class token; keep (B, N) bool or None.
        out: logits (B, C); class embedding (B, D); per block attention (B, H, N, N).
    """

    def __init__(
        self, dim: int, depth: int, heads: int, classes: int, dropout: float, token_dropout: float
    ) -> None:
        super().__init__()
        self.token_dropout = token_dropout
        self.transformer = Transformer(dim, depth, heads, dropout)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(dim, classes)

    def forward(
        self, tokens: Tensor, keep: Tensor | None = None
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Classifies; in training whole pyramid tokens are hidden at random.

        Hiding L1..L3 (tokens 1 to 3), never the class or the GNN token, makes the class token learn
        to read all of its sources instead of only the strongest.
        """
        if self.training and self.token_dropout > 0:
            hidden = torch.rand(tokens.shape[:2], device=tokens.device) < self.token_dropout
            hidden[:, 0] = False
            hidden[:, 4:] = False
            keep = ~hidden if keep is None else keep & ~hidden
        tokens, attentions = self.transformer(tokens, keep)
        embedding = tokens[:, 0]
        return self.head(self.dropout(embedding)), embedding, attentions
