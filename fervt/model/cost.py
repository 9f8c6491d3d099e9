"""A model's cost: its arithmetic and its parameters."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from fervt.model.fervt_gnn import FERVTGNN


def count_gmac(model: FERVTGNN) -> float:
    """Billions of multiply-accumulate operations for one face."""
    side, device = model.config.image_size, next(model.parameters()).device
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.zeros(1, 3, side, side, device=device))
    return counter.get_total_flops() / 2e9


def count_parameters(model: FERVTGNN) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters())
