"""How weights change: the learning rate schedule, the optimizer and the moving average."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from fervt.training.settings import TrainConfig


def learning_rate(config: TrainConfig, done: float) -> float:
    """The learning rate after `done` epochs.

    Linear warm-up, then a cosine to zero; or, with the schedule "wsd", the full rate until
    `decay_epochs` before the end and a straight line to zero (Hu et al., 2024, section 4). While
    the rate is held, the run's length is still open.
    """
    if done < config.warmup_epochs:
        return config.lr * done / config.warmup_epochs
    if config.schedule == "wsd":
        return config.lr * min(max(config.epochs - done, 0.0) / max(config.decay_epochs, 1e-9), 1.0)
    share = (done - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1e-9)
    return config.lr * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def build_optimizer(
    module: nn.Module, trunk: nn.Module, config: TrainConfig
) -> torch.optim.Optimizer:
    """AdamW or SGD over four groups: the trunk apart from the rest, vectors without decay."""
    of_trunk = {id(p) for p in trunk.parameters()}
    groups = []
    for in_trunk in (True, False):
        for is_vector in (True, False):
            chosen = [
                p
                for p in module.parameters()
                if (id(p) in of_trunk) == in_trunk and (p.ndim < 2) == is_vector
            ]
            scale = config.backbone_lr_scale if in_trunk else 1.0
            decay = 0.0 if is_vector else config.weight_decay
            groups.append({"params": chosen, "weight_decay": decay, "lr_scale": scale})
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, config.lr, momentum=0.9, nesterov=True, fused=True)
    return torch.optim.AdamW(groups, config.lr, betas=(0.9, 0.99), fused=True)


def moving_average(decay: float) -> Any:
    """The update of `AveragedModel`: an exponential average with a short memory at first."""

    def update(averages: list[Tensor], values: list[Tensor], count: Tensor | int) -> None:
        # Otherwise the average would stay near the random start for too long.
        share = 1 - min(decay, (1 + int(count)) / (10 + int(count)))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value.to(average.dtype), share)
            else:
                average.copy_(value)

    return update
