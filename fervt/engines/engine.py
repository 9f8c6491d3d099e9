"""The protocol of engines, and the names of what they return."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.model import FERVTOutput

EngineChoice = Literal["auto", "torch", "onnx"]
ENGINES: tuple[EngineChoice, ...] = get_args(EngineChoice)

Output = Literal[
    "logits",
    "gwa_weights",
    "graph_attention",
    "gnn_features",
    "token_attention",
    "feature_map",
]


class Engine(Protocol):
    """Runs one network. Thread-safe.

    Attributes:
        name: As people know it.
    """

    name: str

    def run(self, images: Tensor, outputs: Sequence[Output]) -> list[NDArray[np.float32]]:
        """Runs the network over normalized images (B, 3, S, S).

        Args:
            images: As `Predictor.prepare` makes them.
            outputs: What to return; the network must have the part.

        Returns:
            One float32 array an output, in order: logits (B, C); gwa_weights (B, 7, 7);
            graph_attention (B, L, E, H); gnn_features (B, D); token_attention (B, depth, H, N, N);
            feature_map (B, channels, h, w).
        """
        ...


def named_outputs(output: FERVTOutput) -> Mapping[Output, Tensor]:
    """The outputs that a network has, by name, with a stack in place of a tuple of layers."""
    found: dict[Output, Tensor | None] = {
        "logits": output.logits,
        "gwa_weights": output.gwa_weights,
        "graph_attention": (
            None if output.gat_attention is None else torch.stack(output.gat_attention, dim=1)
        ),
        "gnn_features": output.gnn_features,
        "token_attention": torch.stack(output.transformer_attention, dim=1),
        "feature_map": output.feature_map,
    }
    return {name: value for name, value in found.items() if value is not None}
