"""One face on its way through the model: every stage of `FERVTOutput` as a NumPy array.

Torch stays inside `fervt.explain`; drawing and downloads get arrays of a single face.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.labels import Vocabulary
from fervt.model import FERVTOutput
from fervt.predict import Predictor

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Trace:
    """Every stage of one face; what a checkpoint leaves out is None.

    Axes: S input side, N tokens, D embedding, F node features, L graph layers, E edges, H heads,
    C classes.

    Attributes:
        vocabulary: The classes that `probabilities` follow.
        token_names: N names.
        face: (48, 48) uint8, the gray face as the data set has it.
        model_input: (S, S), 0..1, the denormalized input: what the model saw.
        image: (3, S, S), the same, normalized: 0 is the data set's mean gray, 1 a deviation.
        probabilities: (C,), calibrated, sum 1.
        logits: (C,).
        gwa_weights: (7, 7), never negative, mean 1.
        gwa_map: (3, S, S), weights times image.
        fused_features: (3, S, S).
        node_features: (49, F), before the graph layers.
        graph_features: (49, D), after them.
        edge_index: (2, E) int64, rows source and target; node = 7 * row + column.
        gat_attention: (L, E, H), 0..1; sums to 1 over the edges into each target.
        feature_map: (channels, h, w), the backbone's last.
        tokens: (N, D).
        transformer_attention: (blocks, H, N, N), rows (queries) sum to 1.
    """

    vocabulary: Vocabulary
    token_names: tuple[str, ...]
    face: NDArray[np.uint8]
    model_input: Array
    image: Array
    probabilities: Array
    logits: Array
    gwa_weights: Array | None
    gwa_map: Array | None
    fused_features: Array
    node_features: Array | None
    graph_features: Array | None
    edge_index: NDArray[np.int64] | None
    gat_attention: Array | None
    feature_map: Array
    tokens: Array
    transformer_attention: Array


def trace_face(predictor: Predictor, face: NDArray[np.uint8]) -> Trace:
    """Runs the model once over a gray face (48, 48) uint8 and keeps every stage."""
    output, image = predictor._run(face[None])
    return trace_of(predictor, face, image, output)


def trace_of(
    predictor: Predictor, face: NDArray[np.uint8], image: Tensor, output: FERVTOutput
) -> Trace:
    """Turns the output for one normalized image (1, 3, S, S) into arrays."""
    with torch.no_grad():  # the output may come with a graph for Grad-CAM
        probabilities = predictor.probabilities(output)[0]
    return Trace(
        vocabulary=predictor.classes,
        token_names=predictor.info.config.token_names,
        face=face,
        model_input=predictor.info.preprocess.denormalize(image.cpu().numpy())[0, ..., 0],
        image=_array(image),
        probabilities=probabilities,
        logits=_array(output.logits),
        gwa_weights=_maybe(output.gwa_weights),
        gwa_map=_maybe(output.gwa_map),
        fused_features=_array(output.fused_features),
        node_features=_maybe(output.node_features),
        graph_features=_maybe(output.graph_features),
        edge_index=None if output.gat_edge_index is None else output.gat_edge_index.cpu().numpy(),
        gat_attention=None if output.gat_attention is None else _stack(output.gat_attention),
        feature_map=_array(output.feature_map),
        tokens=_array(output.tokens),
        transformer_attention=_stack(output.transformer_attention),
    )


def _array(value: Tensor) -> Array:
    return value[0].detach().float().cpu().numpy()


def _maybe(value: Tensor | None) -> Array | None:
    return None if value is None else _array(value)


def _stack(values: tuple[Tensor, ...]) -> Array:
    return np.stack([_array(value) for value in values])
