"""What training minimizes, and the targets that it is measured against."""

import numpy as np
import torch
from torch import Tensor, nn

from fervt.data.prepared import PreparedData
from fervt.errors import DataError
from fervt.labels import FERPLUS
from fervt.model import FERVTConfig, FERVTOutput
from fervt.training.settings import TrainConfig


def targets_for(
    data: PreparedData, config: FERVTConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows with a label in the configuration's vocabulary.

    Returns:
        rows: (M,) indices into `data`; labels: (M,) class indices; targets: (M, C) float32, FER+'s
        votes as distributions for the FER+ vocabulary, one-hot rows for FER2013.
    """
    if config.classes is FERPLUS:
        labels, targets = data.label_ferplus, data.ferplus_distribution
    else:
        labels = data.label_fer2013
        targets = np.eye(len(config.classes), dtype=np.float32)[np.maximum(labels, 0)]
    rows = np.flatnonzero(labels >= 0)
    if not len(rows):
        raise DataError(f"The data has no {config.classes.title} labels.")
    return rows, labels[rows], targets[rows]


def votes_loss(logits: Tensor, votes: Tensor) -> Tensor:
    """Cross entropy of FER+'s votes (B, 8), rows sum to 1, or to 0 where none count."""
    return -(votes * logits.float().log_softmax(dim=1)).sum(dim=1).mean()


def class_weights(targets: np.ndarray, power: float) -> np.ndarray:
    """What each class weighs in the loss: its share of the targets to minus `power`.

    Returns:
        (C,) float32, whose mean over the targets (M, C) is 1; 0 for a class that has none.
    """
    shares = targets.mean(axis=0, dtype=np.float64)
    weights = np.where(shares > 0, np.maximum(shares, 1e-9) ** -power, 0)
    return (weights / (weights * shares).sum()).astype(np.float32)


def loss_of(
    output: FERVTOutput, targets: Tensor, config: TrainConfig, weights: Tensor | None = None
) -> Tensor:
    """Cross entropy of the classifier plus, weighted, of GWA's and the GNN's own read-outs."""
    parts = [(1.0, output.logits)]
    parts += [
        (config.aux_weight, logits)
        for logits in (output.gwa_logits, output.gnn_logits)
        if logits is not None
    ]
    return torch.stack(
        [
            weight
            * nn.functional.cross_entropy(
                logits.float(), targets, weights, label_smoothing=config.label_smoothing
            )
            for weight, logits in parts
        ]
    ).sum()


def equivariance_loss(scores: Tensor, moved: Tensor, right: int, down: int) -> Tensor:
    """How far GWA's scores are from following a window that moved: 1 minus their correlation.

    Only cells that both windows see are compared. A correlation, because a plain difference would
    also fall if all scores became alike.

    Args:
        scores: (B, 7, 7) of the window where it was.
        moved: (B, 7, 7) of the same faces, the window moved by whole cells.
        right: Cells that the window moved to the right; negative to the left.
        down: Cells that it moved down; negative up.

    Returns:
        Mean over the faces, 0..2.
    """
    side = scores.shape[-1]
    stay = scores[
        :, max(down, 0) : side + min(down, 0), max(right, 0) : side + min(right, 0)
    ].flatten(1)
    follow = moved[
        :, max(-down, 0) : side - max(down, 0), max(-right, 0) : side - max(right, 0)
    ].flatten(1)
    return (1 - nn.functional.cosine_similarity(_centered(stay), _centered(follow))).mean()


def _centered(values: Tensor) -> Tensor:
    return values - values.mean(dim=1, keepdim=True)
