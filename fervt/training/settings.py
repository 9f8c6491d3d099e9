"""The settings of a training run, each with its range."""

from dataclasses import dataclass
from typing import Literal

from fervt.options import check_types, option
from fervt.training.distributed import Amp


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run.

    Raises:
        ConfigError: A value is outside its range.
    """

    epochs: int = option(60, "passes over Training", least=1)
    batch_size: int = option(64, "faces in one optimizer step, over all processes", least=1)
    accumulate: int = option(1, "parts into which a process divides its share of a batch", least=1)
    optimizer: Literal["adamw", "sgd"] = option("adamw", "adamw, or sgd with Nesterov momentum")
    lr: float = option(2e-3, "highest learning rate", above=0)
    weight_decay: float = option(0.05, "decay of matrices; vectors are not decayed", least=0)
    backbone_lr_scale: float = option(1.0, "the trunk's share of the learning rate", least=0)
    warmup_epochs: float = option(2.0, "epochs of linear warm-up", least=0)
    schedule: Literal["cosine", "wsd"] = option(
        "cosine",
        "after the warm-up: a cosine to zero, or wsd: hold the rate, decay once at the end",
    )
    decay_epochs: float = option(10.0, "wsd: epochs of linear decay to zero at the end", least=0)
    clip: float = option(1.0, "largest gradient norm", above=0)
    label_smoothing: float = option(0.1, "label smoothing", least=0, below=1)
    mixup: float = option(0.0, "mixup's alpha; 0 is off", least=0)
    aux_weight: float = option(
        0.3, "weight of the losses of GWA's and the GNN's own read-outs", least=0
    )
    equivariance_weight: float = option(
        0.0, "weight of the loss that makes GWA's scores follow a moved face; 0 is off", least=0
    )
    relevance_weight: float = option(
        0.0,
        "weight of the loss that makes GWA select the cells that the --distill checkpoint's answer "
        "rests on; 0 is off",
        least=0,
    )
    counterfactual_weight: float = option(
        0.0,
        "weight of the loss that makes the answer need the face's own cell weights, not another "
        "face's; 0 is off",
        least=0,
    )
    graph_weight: float = option(
        0.0,
        "weight of the loss that makes the answer need the graph's token, not its training mean; "
        "0 is off",
        least=0,
    )
    freeze_gwa: bool = option(False, "keep GWA as the --init checkpoint has it")
    votes_weight: float = option(
        0.0, "weight of a second read-out, of FER+'s votes; 0 is off", least=0
    )
    teacher_weight: float = option(
        0.0, "share of the teachers' answers in the targets, 0..1", least=0, most=1
    )
    distill_weight: float = option(
        0.0,
        "share in the targets of the --distill checkpoint's answer for the same view, 0..1",
        least=0,
        most=1,
    )
    class_balance: float = option(
        0.0, "weight each class by its frequency to the power of minus this", least=0, most=1
    )
    ema_decay: float = option(
        0.998, "decay of the weights' moving average; 0 is off", least=0, below=1
    )
    patience: int = option(
        0, "epochs without a better PublicTest accuracy before stopping; 0 is off", least=0
    )
    augment: bool = option(True, "augmentation")
    drop_copies: bool = option(True, "leave out Training rows that are also in a test split")
    crop: float = option(44 / 48, "share of the face's side that the model sees", least=0.5, most=1)
    seed: int = option(0, "seed of everything random", least=0, most=2**31 - 1)
    amp: Amp = option("auto", "bfloat16: on, off, or auto: on if the hardware supports it")
    compile: bool = option(False, "torch.compile: slow to start, then faster; needs a compiler")

    def __post_init__(self) -> None:
        check_types(self)
