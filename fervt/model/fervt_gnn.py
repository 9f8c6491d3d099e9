"""FERVT-GNN, assembled: configuration, output and model, to be read from top to bottom."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from fervt.errors import ConfigError
from fervt.grid import GRID
from fervt.labels import Vocabulary, vocabulary
from fervt.model.backbone import Backbone, Stem
from fervt.model.fusion import GWAFusion
from fervt.model.graph import AttentionGNN, GraphConstructor, GraphPooling, Pooling
from fervt.model.gwa import GWA, Embedding
from fervt.model.transformer import VTA
from fervt.options import check_types, option

# oneDNN writes past its buffers in the backward pass of narrower convolutions, channels-last,
# float32 (torch 2.14.1): it crashes, or learns from garbage. With AVX2 from 4 to 8 channels at
# stride 2; with AVX-512 and two threads at a width of 8 and 12, in one batch size and not the next.
_NARROWEST = 16


@dataclass(frozen=True)
class FERVTConfig:
    """The configuration of a FERVT-GNN, stored in every checkpoint.

    It may come from an untrusted file, so no value may make a model that takes minutes or all
    memory.

    Raises:
        ConfigError: A value is outside its range.
    """

    vocabulary: str = option("fer2013", "class vocabulary: fer2013 (7) or ferplus (8)")
    image_size: int = option(56, "input side in pixels, a multiple of 7", least=14, most=448)
    stem: Stem = option("face-fast", "first convolution: imagenet, face (stride 1) or face-fast")
    width: int = option(
        64, "channels of the trunk's first stage; 64 is ResNet-34's own", least=_NARROWEST, most=256
    )
    embed_dim: int = option(256, "token dimension D", least=1, most=1024)
    depth: int = option(2, "transformer blocks", least=1, most=24)
    heads: int = option(4, "attention heads of the transformer", least=1, most=64)
    use_gwa: bool = option(True, "grid-wise attention and its fusion")
    gwa_dim: int = option(64, "feature dimension of GWA's patches", least=1, most=1024)
    gwa_heads: int = option(4, "summary queries of GWA", least=1, most=64)
    gwa_focus: float = option(0.4, "share of the cells that GWA selects", least=0.05, below=1)
    gwa_embedding: Embedding = option(
        "patch", "how GWA embeds a cell: one patch convolution, or convolutional, which points"
    )
    use_gnn: bool = option(True, "graph attention over the grid and its token")
    node_dim: int = option(128, "feature dimension F of the graph's nodes", least=1, most=1024)
    gat_heads: int = option(4, "attention heads of each graph layer", least=1, most=64)
    graph_pooling: Pooling = option(
        "contrast", "nodes to one vector: mean, max, attention, gwa or contrast"
    )
    level_pooling: Literal["gwa", "mean"] = option(
        "gwa", "a pyramid level to its token: averaged with GWA's weights, or evenly: mean"
    )
    dropout: float = option(
        0.1, "dropout in the transformer and before the classifier", least=0, below=1
    )
    token_dropout: float = option(
        0.2, "chance of hiding each pyramid token in training", least=0, below=1
    )

    def __post_init__(self) -> None:
        if type(self.width) is int and self.width < _NARROWEST:
            raise ConfigError(
                f"width must be at least {_NARROWEST}: narrower convolutions corrupt memory when "
                "they are trained on a CPU (PyTorch's oneDNN)."
            )
        check_types(self)
        vocabulary(self.vocabulary)
        if self.image_size % GRID:
            raise ConfigError(f"image_size must be a multiple of {GRID}.")
        for dim, heads in (
            ("embed_dim", "heads"),
            ("embed_dim", "gat_heads"),
            ("gwa_dim", "gwa_heads"),
        ):
            if getattr(self, dim) % getattr(self, heads):
                raise ConfigError(f"{dim} must be a multiple of {heads}.")
        for name in ("node_dim", "gwa_dim"):
            if getattr(self, name) % 4:
                raise ConfigError(f"{name} must be a multiple of 4.")

    @property
    def classes(self) -> Vocabulary:
        """The class vocabulary of the logits."""
        return vocabulary(self.vocabulary)

    @property
    def token_names(self) -> tuple[str, ...]:
        """Names of the transformer's tokens, in order."""
        return ("class", "L1", "L2", "L3", "GNN")[: 5 if self.use_gnn else 4]


@dataclass(frozen=True)
class Intervention:
    """Replaces values inside the model, to measure how much a part matters.

    Attributes:
        gwa_weights: (B, 7, 7) or (7, 7), instead of the computed cell weights.
        gnn_features: (B, D) or (D,), instead of the computed graph vector.
        keep_tokens: (B, N) or (N,) bool; False hides a token from the transformer. The class token
            must be kept.
    """

    gwa_weights: Tensor | None = None
    gnn_features: Tensor | None = None
    keep_tokens: Tensor | None = None


@dataclass(frozen=True)
class FERVTOutput:
    """All intermediate results of the model; parts that the configuration leaves out are None.

    Axes: B batch, N tokens, H heads, E edges, C classes, D embedding, F node features.

    Attributes:
        logits: (B, C).
        class_embedding: (B, D), the class token after the transformer.
        gwa_weights: (B, 7, 7), never negative, mean 1 over the grid.
        gwa_map: (B, 3, S, S), weights times the normalized image.
        fused_features: (B, 3, S, S).
        node_features: (B, 49, F), before the graph layers.
        graph_features: (B, 49, D), after them.
        gat_edge_index: (2, 217) of one image, rows source and target.
        gat_attention: one (B, 217, H) per graph layer; sums to 1 over each target's edges. Read in
            eval mode.
        gnn_features: (B, D).
        feature_map: (B, 8 * width, h, w), the trunk's last map.
        tokens: (B, N, D), the transformer's input.
        transformer_attention: one (B, H, N, N) per block; rows sum to 1.
        gwa_logits: (B, C), read from GWA's weighted patch features alone.
        gnn_logits: (B, C), read from the graph vector alone.
    """

    logits: Tensor
    class_embedding: Tensor
    gwa_weights: Tensor | None
    gwa_map: Tensor | None
    fused_features: Tensor
    node_features: Tensor | None
    graph_features: Tensor | None
    gat_edge_index: Tensor | None
    gat_attention: tuple[Tensor, ...] | None
    gnn_features: Tensor | None
    feature_map: Tensor
    tokens: Tensor
    transformer_attention: tuple[Tensor, ...]
    gwa_logits: Tensor | None
    gnn_logits: Tensor | None


class FERVTGNN(nn.Module):
    """The whole model: images (B, 3, S, S) to a `FERVTOutput`."""

    gnn_mean: Tensor

    def __init__(self, config: FERVTConfig) -> None:
        super().__init__()
        self.config = config
        c, classes = config, len(config.classes)
        if c.use_gwa:
            self.gwa = GWA(c.image_size, c.gwa_dim, c.gwa_heads, c.gwa_focus, c.gwa_embedding)
            self.fusion = GWAFusion()
            self.gwa_head = nn.Linear(c.gwa_dim, classes)
        if c.use_gnn:
            self.graph = GraphConstructor(c.node_dim)
            self.gnn = AttentionGNN(c.node_dim, c.embed_dim, c.gat_heads)
            self.pool = GraphPooling(c.embed_dim, c.graph_pooling)
            self.gnn_head = nn.Linear(c.embed_dim, classes)
            # The graph vector's running mean over training images: a neutral value.
            self.register_buffer("gnn_mean", torch.zeros(c.embed_dim))
        summary_dim = c.gwa_dim if c.use_gwa else None
        self.backbone = Backbone(c.stem, c.width, c.embed_dim, c.use_gnn, summary_dim)
        self.vta = VTA(c.embed_dim, c.depth, c.heads, classes, c.dropout, c.token_dropout)

    def forward(self, images: Tensor, intervention: Intervention | None = None) -> FERVTOutput:
        """Classifies and returns every stage.

        Args:
            images: (B, 3, S, S), normalized with the checkpoint's mean and standard deviation.
            intervention: What to replace along the way, None for nothing.
        """
        change = intervention or Intervention()
        fused, weighted, weights, summary, gwa_logits = images, None, None, None, None
        if self.config.use_gwa:
            _, weighted, weights, summary = self.gwa(images, change.gwa_weights)
            fused = self.fusion(images, weighted)
            gwa_logits = self.gwa_head(summary)
        nodes = graph = edge_index = attention = vector = gnn_logits = None
        if self.config.use_gnn:
            nodes, edge_index = self.graph(fused)
            graph, attention = self.gnn(nodes, edge_index)
            vector = self.pool(graph, weights)
            if self.training and intervention is None:
                self.gnn_mean.lerp_(vector.detach().float().mean(dim=0), 0.01)
            if change.gnn_features is not None:
                vector = change.gnn_features.expand_as(vector)
            gnn_logits = self.gnn_head(vector)
        by_cell = weights if self.config.level_pooling == "gwa" else None
        tokens, feature_map = self.backbone(fused, vector, by_cell, summary)
        keep = change.keep_tokens
        if keep is not None:
            keep = keep.expand(tokens.shape[:2])
        logits, embedding, token_attention = self.vta(tokens, keep)
        return FERVTOutput(
            logits=logits,
            class_embedding=embedding,
            gwa_weights=weights,
            gwa_map=weighted,
            fused_features=fused,
            node_features=nodes,
            graph_features=graph,
            gat_edge_index=edge_index,
            gat_attention=attention,
            gnn_features=vector,
            feature_map=feature_map,
            tokens=tokens,
            transformer_attention=token_attention,
            gwa_logits=gwa_logits,
            gnn_logits=gnn_logits,
        )
