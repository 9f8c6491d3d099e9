"""The protocol of engines, and the names of what they return."""

from collections.abc import Sequence
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
OUTPUTS: tuple[Output, ...] = get_args(Output)


class Engine(Protocol):
    """Runs one network. Thread-safe.

    Attributes:
        name: Its display name.
        key: Its name in `open_engine`.
    """

    name: str
    key: EngineChoice

    def run(
        self, images: NDArray[np.float32], outputs: Sequence[Output]
    ) -> list[NDArray[np.float32]]:
        """Runs the network on normalized images (B, 3, S, S), with the calling thread's threads.

        Args:
            images: As `Preprocess.to_input` makes them.
            outputs: What to return; the network must have the corresponding parts.

        Returns:
            One float32 array per output, in order: logits (B, C); gwa_weights (B, 7, 7);
            graph_attention (B, L, E, H); gnn_features (B, D); token_attention (B, depth, H, N, N);
            feature_map (B, channels, h, w).
        """
        ...


def read_output(output: FERVTOutput, name: Output) -> Tensor | None:
    """One output of the network, with layers stacked; None for a missing part."""
    if name == "graph_attention":
        layers = output.gat_attention
        return None if layers is None else torch.stack(layers, dim=1)
    if name == "token_attention":
        return torch.stack(output.transformer_attention, dim=1)
    found: Tensor | None = getattr(output, name)
    return found


def named_outputs(output: FERVTOutput) -> dict[Output, Tensor]:
    """All outputs that a network has, by name."""
    found = {name: read_output(output, name) for name in OUTPUTS}
    return {name: value for name, value in found.items() if value is not None}
