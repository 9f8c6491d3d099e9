"""The losses that training minimizes."""

import torch
from torch import Tensor, nn

from fervt.model import FERVTOutput
from fervt.training.settings import TrainConfig


def votes_loss(logits: Tensor, votes: Tensor) -> Tensor:
    """Cross entropy of FER+'s votes (B, 8), rows sum to 1, or to 0 where none count."""
    return -(votes * logits.float().log_softmax(dim=1)).sum(dim=1).mean()


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
    """How far GWA's scores are from following a moved window: 1 minus their correlation.

    Only cells that both windows see are compared. A correlation, because a plain difference would
    also fall if all scores became alike.

    Args:
        scores: (B, 7, 7) of the original window.
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


def relevance_loss(scores: Tensor, hidden: Tensor, drops: Tensor) -> Tensor:
    """How poorly GWA's scores predict which cells an answer rests on: 1 minus a correlation.

    Over the faces of a batch, between what hiding some cells costs and how much higher GWA scores
    these cells than the others. A random set says little about one face, but over many steps every
    cell of every kind of face is hidden (as in RISE, Petsiuk et al., 2018).

    Args:
        scores: (B, 7, 7), GWA's.
        hidden: (B, 7, 7) bool, the cells that were hidden.
        drops: (B,), how much less likely the answer became.

    Returns:
        0..2.
    """
    standardized = _centered(scores.float().flatten(1))
    # Added inside the root, whose gradient at 0 is infinite.
    standardized = standardized / (standardized.square().mean(dim=1, keepdim=True) + 1e-6).sqrt()
    inside = hidden.flatten(1).float()
    shares = inside / inside.sum(dim=1, keepdim=True).clamp_min(1)
    others = (1 - inside) / (1 - inside).sum(dim=1, keepdim=True).clamp_min(1)
    higher = (standardized * (shares - others)).sum(dim=1)
    pair = _centered(torch.stack([higher, drops.float()]))
    return 1 - nn.functional.cosine_similarity(pair[0], pair[1], dim=0)


def counterfactual_loss(
    logits: Tensor, otherwise: Tensor, targets: Tensor, shares: Tensor | None = None
) -> Tensor:
    """Cross entropy of what a part of the model changes (Rao et al., 2021).

    The logits with what the part says of a face minus those with something else in its place (the
    cell weights of another face; the graph vector's mean) must give the face's class. If it doesn't
    matter, the difference is 0 and the loss log C, but for dropout: each pass draws its own.

    Args:
        logits: (B, C) as it is.
        otherwise: (B, C) with something else in its place.
        targets: (B, C), rows sum to 1.
        shares: (B,), how much each face counts; None for 1.
    """
    effect = logits.float() - otherwise.float()
    losses = nn.functional.cross_entropy(effect, targets, reduction="none")
    return (losses if shares is None else shares * losses).mean()


def _centered(values: Tensor) -> Tensor:
    return values - values.mean(dim=1, keepdim=True)
