"""The settings of a training run, each with its range."""

import math
from dataclasses import dataclass
from typing import Literal

from fervt.errors import ConfigError
from fervt.options import check_types, option
from fervt.training.distributed import Amp


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run.

    Raises:
        ConfigError: A value is outside its range.
    """

    epochs: int = option(60, "passes over Training")
    batch_size: int = option(64, "faces in one optimizer step, over all processes")
    accumulate: int = option(1, "parts that a process cuts its share of a batch into")
    optimizer: Literal["adamw", "sgd"] = option("adamw", "adamw, or sgd with Nesterov momentum")
    lr: float = option(2e-3, "highest learning rate")
    weight_decay: float = option(0.05, "decay of matrices; vectors are not decayed")
    backbone_lr_scale: float = option(1.0, "the trunk's share of the learning rate")
    warmup_epochs: float = option(2.0, "epochs of linear warm-up")
    schedule: Literal["cosine", "wsd"] = option(
        "cosine",
        "after the warm-up: a cosine to zero, or wsd: hold the rate, decay once at the end",
    )
    decay_epochs: float = option(10.0, "wsd: epochs of linear decay to zero at the end")
    clip: float = option(1.0, "largest gradient norm")
    label_smoothing: float = option(0.1, "label smoothing")
    mixup: float = option(0.0, "mixup's alpha; 0 is off")
    aux_weight: float = option(0.3, "weight of the losses of GWA's and the GNN's own read-outs")
    equivariance_weight: float = option(
        0.0, "weight of the loss that moves GWA's scores with a moved face; 0 is off"
    )
    votes_weight: float = option(0.0, "weight of a second read-out, of FER+'s votes; 0 is off")
    teacher_weight: float = option(0.0, "share of the teachers' answers in the targets, 0..1")
    class_balance: float = option(0.0, "a class weighs its share of Training to minus this power")
    ema_decay: float = option(0.998, "decay of the weights' moving average; 0 is off")
    patience: int = option(0, "epochs without a better PublicTest before stopping; 0 is off")
    augment: bool = option(True, "augmentation")
    drop_copies: bool = option(True, "leave out Training rows that also stand in a test split")
    crop: float = option(44 / 48, "share of the face's side that the model sees")
    seed: int = option(0, "seed of everything random")
    amp: Amp = option("auto", "bfloat16: on, off, or auto, where the hardware computes in it")
    compile: bool = option(False, "torch.compile: slow to start, then faster; needs a compiler")

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("epochs", "batch_size", "accumulate"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1.")
        for name in (
            "weight_decay",
            "backbone_lr_scale",
            "warmup_epochs",
            "mixup",
            "aux_weight",
            "decay_epochs",
            "equivariance_weight",
            "votes_weight",
            "patience",
            "seed",
        ):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} must not be negative.")
        for name in ("lr", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be above 0.")
        if self.seed >= 2**31:
            raise ConfigError("seed must lie below 2147483648.")
        for name in ("label_smoothing", "ema_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} must lie in 0 <= {name} < 1.")
        for name in ("class_balance", "teacher_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie in 0 <= {name} <= 1.")
        if not 0.5 <= self.crop <= 1:
            raise ConfigError("crop must lie in 0.5 <= crop <= 1.")
