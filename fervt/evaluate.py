"""From a model and a prepared file to a saved evaluation.

A saved evaluation is a table of predictions, one row a face; every figure on every page is computed
from that table, never from the model again. scikit-learn computes the metrics.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor

from fervt.data.transforms import Preprocess
from fervt.errors import DataError
from fervt.model import FERVTGNN, Intervention

LabelSet = Literal["fer2013", "ferplus"]
Part = Literal["gwa", "gnn"]

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Outputs:
    """What a model says of N faces.

    Attributes:
        logits: (N, C) float32, before temperature scaling.
        flipped_logits: (N, C) float32 of the mirrored faces, None unless asked for.
        embeddings: (N, D) float32, class tokens after the transformer.
        gnn_logits: (N, C) float32, read from the graph vector alone; None without the GNN.
        gwa_weights: (N, 7, 7) float32; None without GWA.
    """

    logits: NDArray[np.float32]
    flipped_logits: NDArray[np.float32] | None
    embeddings: NDArray[np.float32]
    gnn_logits: NDArray[np.float32] | None
    gwa_weights: NDArray[np.float32] | None


def run_model(
    model: FERVTGNN,
    preprocess: Preprocess,
    faces: NDArray[np.uint8],
    *,
    flip: bool = False,
    neutralise: Part | None = None,
    batch_size: int = 64,
    amp: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Outputs:
    """Runs a model in eval mode over faces (N, 48, 48) uint8.

    Args:
        model: It is left in the mode that it was in.
        preprocess: The checkpoint's own.
        faces: Gray faces.
        flip: Run the mirrored faces as well.
        neutralise: "gwa" sets all cell weights to 1; "gnn" replaces every graph vector by its
            training mean.
        batch_size: Faces in one forward pass.
        amp: Use bfloat16 where autocast allows.
        progress: Called with the number of faces done.

    Raises:
        DataError: There are no faces.
    """
    if not len(faces):
        raise DataError("There are no faces to evaluate.")
    device = next(model.parameters()).device
    intervention = _neutralised(model, neutralise)
    parts: dict[str, list[Tensor]] = {
        name: [] for name in ("logits", "flipped", "embeddings", "gnn", "gwa")
    }
    was_training = model.training
    model.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
        for start in range(0, len(faces), batch_size):
            batch = torch.from_numpy(faces[start : start + batch_size]).to(device)
            images = preprocess.to_input(batch).contiguous(memory_format=torch.channels_last)
            output = model(images, intervention)
            parts["logits"].append(output.logits)
            parts["embeddings"].append(output.class_embedding)
            if output.gnn_logits is not None:
                parts["gnn"].append(output.gnn_logits)
            if output.gwa_weights is not None:
                parts["gwa"].append(output.gwa_weights)
            if flip:
                parts["flipped"].append(model(images.flip(-1), intervention).logits)
            if progress:
                progress(min(start + batch_size, len(faces)))
    model.train(was_training)
    joined = {k: torch.cat(v).float().cpu().numpy() if v else None for k, v in parts.items()}
    return Outputs(
        joined["logits"], joined["flipped"], joined["embeddings"], joined["gnn"], joined["gwa"]
    )


def _neutralised(model: FERVTGNN, part: Part | None) -> Intervention | None:
    if part == "gwa":
        if not model.config.use_gwa:
            raise DataError("This checkpoint has no GWA that could be neutralised.")
        return Intervention(gwa_weights=torch.ones(7, 7))
    if part == "gnn":
        if not model.config.use_gnn:
            raise DataError("This checkpoint has no GNN that could be neutralised.")
        return Intervention(gnn_features=model.gnn_mean)
    return None


def softmax(logits: NDArray[Any], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities (N, C) from logits (N, C), divided by `temperature` first."""
    scaled = logits.astype(np.float64) / temperature
    exponent = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (exponent / exponent.sum(axis=1, keepdims=True)).astype(np.float32)


def rescale(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float32]:
    """Applies a temperature to probabilities (N, C), as if their logits were divided by it."""
    return softmax(np.log(np.clip(probabilities, 1e-12, 1.0)), temperature)


def fit_temperature(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """The temperature with the lowest negative log likelihood (Guo et al., 2017).

    Args:
        probabilities: (N, C), before scaling.
        labels: (N,) class indices.
    """

    def loss(log_temperature: float) -> float:
        scaled = rescale(probabilities, float(np.exp(log_temperature)))
        return _nll(scaled, labels)

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def _nll(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> float:
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(chosen.astype(np.float64), 1e-12, 1.0)).mean())
