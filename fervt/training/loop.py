"""Training: one plain loop that selects by PublicTest and can be stopped at any moment.

Every random draw follows from (seed, epoch, step, part), so a run that was killed and resumed ends
with the same weights as one that never stopped. A batch is cut into equal parts, one for each
process and gradient accumulation step; two processes therefore do what one does that accumulates
two parts.
"""

import contextlib
import csv
import math
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from fervt.checkpoint import CheckpointInfo, init_from, save_checkpoint
from fervt.data.prepared import PreparedData
from fervt.data.transforms import NO_AUGMENT, Augment, Preprocess
from fervt.errors import ConfigError, DataError
from fervt.evaluation.run import run_model
from fervt.files import file_sha256, write_aside
from fervt.labels import FERPLUS
from fervt.metrics import fit_temperature, softmax
from fervt.model import FERVTGNN, FERVTConfig, FERVTOutput
from fervt.options import check_types, option
from fervt.training.teachers import ask_teachers


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run.

    Raises:
        ConfigError: A value is outside its range.
    """

    epochs: int = option(60, "passes over Training")
    batch_size: int = option(64, "faces in one optimiser step, over all processes")
    accumulate: int = option(1, "parts that a process cuts its share of a batch into")
    optimizer: Literal["adamw", "sgd"] = option("adamw", "adamw, or sgd with Nesterov momentum")
    lr: float = option(2e-3, "highest learning rate")
    weight_decay: float = option(0.05, "decay of matrices; vectors are not decayed")
    backbone_lr_scale: float = option(1.0, "the trunk's share of the learning rate")
    warmup_epochs: float = option(2.0, "epochs of linear warm-up before the cosine")
    clip: float = option(1.0, "largest gradient norm")
    label_smoothing: float = option(0.1, "label smoothing")
    mixup: float = option(0.0, "mixup's alpha; 0 is off")
    aux_weight: float = option(0.3, "weight of the losses of GWA's and the GNN's own read-outs")
    votes_weight: float = option(0.0, "weight of a second read-out, of FER+'s votes; 0 is off")
    teacher_weight: float = option(0.0, "share of the teachers' answers in the targets, 0..1")
    class_balance: float = option(0.0, "a class weighs its share of Training to minus this power")
    ema_decay: float = option(0.998, "decay of the weights' moving average; 0 is off")
    patience: int = option(0, "epochs without a better PublicTest before stopping; 0 is off")
    augment: bool = option(True, "augmentation")
    drop_copies: bool = option(True, "leave out Training rows that also stand in a test split")
    crop: float = option(44 / 48, "share of the face's side that the model sees")
    seed: int = option(0, "seed of everything random")
    amp: bool = option(True, "bfloat16 where autocast allows")
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


@dataclass(frozen=True)
class Result:
    """How a call of `train` ended.

    Attributes:
        finished: False when it stopped early at a resumable point.
        best: The checkpoint with the highest PublicTest accuracy so far, None before the first.
        accuracy: Its PublicTest accuracy, 0..1.
        history: One dict an epoch.
    """

    finished: bool
    best: Path | None
    accuracy: float
    history: list[dict[str, float]]


@dataclass
class _Progress:
    """Where a run stands; saved with the weights."""

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    best: float = -1.0
    stale: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


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


def learning_rate(config: TrainConfig, done: float) -> float:
    """The learning rate after `done` epochs: linear warm-up, then a cosine to zero."""
    if done < config.warmup_epochs:
        return config.lr * done / config.warmup_epochs
    share = (done - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1e-9)
    return config.lr * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


class ReadOuts(nn.Module):
    """The model and, in training only, a second classifier on its class token for FER+'s votes.

    FER2013's one label a face is noisy; ten votes on the same face say what else it could be.

    Shapes:
        in: images (B, 3, S, S).
        out: the model's output; logits over FER+'s classes (B, 8), None without `votes`.
    """

    def __init__(self, model: FERVTGNN, votes: bool) -> None:
        super().__init__()
        self.model = model
        self.votes = nn.Linear(model.config.embed_dim, len(FERPLUS)) if votes else None

    def forward(self, images: Tensor) -> tuple[FERVTOutput, Tensor | None]:
        """Classifies; see the class for shapes."""
        output = self.model(images)
        return output, None if self.votes is None else self.votes(output.class_embedding)


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


def _moving_average(decay: float) -> Any:
    def update(averages: list[Tensor], values: list[Tensor], count: Tensor | int) -> None:
        # A short memory at first, or the average would stay near the random start for long.
        share = 1 - min(decay, (1 + int(count)) / (10 + int(count)))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value.to(average.dtype), share)
            else:
                average.copy_(value)

    return update


def _seed_step(*numbers: int) -> None:
    state = np.random.SeedSequence(numbers).generate_state(2, np.uint32)
    torch.manual_seed(int(state[0]) << 31 ^ int(state[1]))


class Trainer:
    """One run: the model, its moving average, the optimiser and the state on disk."""

    def __init__(
        self,
        data: PreparedData,
        out: Path,
        model_config: FERVTConfig,
        config: TrainConfig,
        augment: Augment | None = None,
        *,
        device: str = "auto",
        init: Path | None = None,
        teachers: Sequence[Path] = (),
        imagenet: Path | Literal["download"] | None = None,
        description: str = "",
    ) -> None:
        self.out, self.config, self.description = out, config, description
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.world = dist.get_world_size() if dist.is_initialized() else 1
        self.device = pick_device(device)
        self.augment = (augment or Augment()) if config.augment else NO_AUGMENT
        training, public = data.split("Training"), data.split("PublicTest")
        if config.drop_copies:
            training = training.select(training.other_splits == "")
        rows, _, targets = targets_for(training, model_config)
        if bool(teachers) != bool(config.teacher_weight):
            raise ConfigError("--teacher and a --teacher-weight above 0 need each other.")
        weights = class_weights(targets, config.class_balance)
        seen = {model_config.vocabulary} | ({FERPLUS.name} if config.votes_weight else set())
        record = {**asdict(config), "augmentation": asdict(self.augment)}
        if teachers:
            taught = ask_teachers(teachers, training.select(rows), model_config.classes)
            targets = targets + np.float32(config.teacher_weight) * (taught.answers - targets)
            seen |= taught.labels_seen
            record["teachers"] = list(taught.digests)
        self.faces = torch.from_numpy(training.images[rows]).to(self.device)
        self.targets = torch.from_numpy(targets).to(self.device)
        self.class_weights = torch.from_numpy(weights).to(self.device)
        votes = training.ferplus_distribution[rows]
        if config.votes_weight and (model_config.classes is FERPLUS or not votes.any()):
            raise ConfigError("votes_weight needs FER2013's classes and data with FER+'s votes.")
        self.votes = torch.from_numpy(votes).to(self.device)
        rows, self.public_labels, _ = targets_for(public, model_config)
        self.public_faces = public.images[rows]
        self.batch = min(config.batch_size, len(self.faces))
        self.parts = self.world * config.accumulate
        if self.batch % self.parts:
            raise ConfigError(
                f"A batch of {self.batch} cannot be cut into {self.parts} equal parts "
                "(processes times accumulate)."
            )
        self.steps = len(self.faces) // self.batch
        gray = training.images.astype(np.float64) / 255
        self.preprocess = Preprocess(
            model_config.image_size, float(gray.mean()), float(gray.std()), config.crop
        )

        _seed_step(config.seed)
        self.model = FERVTGNN(model_config)
        if imagenet is not None:
            self.model.backbone.trunk.load_imagenet(None if imagenet == "download" else imagenet)
        if init is not None:
            seen |= set(init_from(self.model, init).labels_seen)
        self.read_outs = ReadOuts(self.model, votes=config.votes_weight > 0)
        self.read_outs.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = (
            AveragedModel(
                self.model, multi_avg_fn=_moving_average(config.ema_decay), use_buffers=True
            )
            if config.ema_decay
            else None
        )
        # Wrapped, it still is the same parameters: state and optimiser see `read_outs`.
        self.parallel = cast(
            nn.Module, torch.compile(self.read_outs) if config.compile else self.read_outs
        )
        if self.world > 1:
            self.parallel = DistributedDataParallel(self.parallel)
        self.optimizer = build_optimizer(self.read_outs, self.model.backbone.trunk, config)
        self.info = CheckpointInfo(
            config=model_config,
            preprocess=self.preprocess,
            data_hash=data.content_hash,
            split_rule=data.split_rule,
            seed=config.seed,
            labels_seen=tuple(sorted(seen)),
            training=record,
            parent=file_sha256(init) if init else "",
            description=description,
        )
        self.progress = _Progress()

    @property
    def state_path(self) -> Path:
        """The resumable state: weights, average, optimiser, position."""
        return self.out / "state.pt"

    @property
    def best_path(self) -> Path:
        """The best checkpoint so far."""
        return self.out / "best.safetensors"

    def run(
        self, *, resume: bool = False, max_minutes: float | None = None, save_every_s: float = 120.0
    ) -> Result:
        """Trains to the end, to `max_minutes`, or to SIGTERM, whichever comes first.

        Raises:
            ConfigError: The folder holds a run and `resume` is off, the state does not fit these
                settings, or the loss is no longer finite.
        """
        found = self._any(self.rank == 0 and self.state_path.is_file())
        if found and not resume:
            raise ConfigError(
                f"'{self.out}' already holds a run; go on with --resume or name another --out."
            )
        if found:
            self._restore()
        self.out.mkdir(parents=True, exist_ok=True)
        started = saved = time.monotonic()
        with _stop_on_sigterm() as stopped:
            while self.progress.epoch < self.config.epochs and not self._out_of_patience():
                order = self._order()
                with tqdm(
                    total=self.steps,
                    initial=self.progress.step,
                    desc=f"epoch {self.progress.epoch + 1}/{self.config.epochs}",
                    disable=self.rank != 0,
                    mininterval=5,
                ) as bar:
                    while self.progress.step < self.steps:
                        self._step(order, bar)
                        now = time.monotonic()
                        over = max_minutes is not None and now - started > 60 * max_minutes
                        if self._any(over or bool(stopped)):
                            self._save()
                            return self._result(finished=False)
                        if self._any(now - saved > save_every_s):
                            self._save()
                            saved = now
                self._close_epoch()
                self._save()
                saved = time.monotonic()
        return self._result(finished=True)

    def _any(self, here: bool) -> bool:
        """Whether any process says so: all must stop at the same step."""
        if self.world == 1:
            return here
        flag = torch.tensor(float(here), device=self.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())

    def _out_of_patience(self) -> bool:
        return bool(self.config.patience) and self.progress.stale >= self.config.patience

    def _order(self) -> Tensor:
        generator = torch.Generator().manual_seed(self.config.seed * 100_003 + self.progress.epoch)
        return torch.randperm(len(self.faces), generator=generator).to(self.device)

    def _step(self, order: Tensor, bar: tqdm) -> None:
        config, at = self.config, self.progress
        rows = order[at.step * self.batch : (at.step + 1) * self.batch].chunk(self.parts)
        rate = learning_rate(config, at.epoch + (at.step + 1) / self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["lr_scale"]
        self.optimizer.zero_grad(set_to_none=True)
        self.parallel.train()
        totals = torch.zeros(2, dtype=torch.float64, device=self.device)
        for micro in range(config.accumulate):
            part = self.rank * config.accumulate + micro
            _seed_step(config.seed, at.epoch, at.step, part)
            last = micro == config.accumulate - 1
            quiet = (
                contextlib.nullcontext()
                if last or not isinstance(self.parallel, DistributedDataParallel)
                else self.parallel.no_sync()
            )
            with quiet:
                totals += self._backward(rows[part])
        if self.world > 1:
            dist.all_reduce(totals)
        if not math.isfinite(float(totals[0])):
            raise ConfigError(
                "The loss is no longer finite; start anew with a lower --lr, with --init from "
                "the best checkpoint so far if there is one."
            )
        nn.utils.clip_grad_norm_(self.read_outs.parameters(), config.clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        at.step += 1
        at.loss_sum += float(totals[0]) * self.batch / self.parts
        at.correct += int(totals[1])
        at.seen += self.batch
        bar.set_postfix(
            loss=f"{at.loss_sum / at.seen:.3f}",
            accuracy=f"{at.correct / at.seen:.3f}",
            images_s=f"{self.batch * (bar.format_dict['rate'] or 0):.0f}",
            refresh=False,
        )
        bar.update()

    def _backward(self, rows: Tensor) -> Tensor:
        """Adds one part's gradients; returns its mean loss and its count of right answers."""
        images = self.augment(self.faces[rows], self.preprocess)
        targets, votes = self.targets[rows], self.votes[rows]
        if self.config.mixup > 0:
            draws = np.random.default_rng(int(torch.randint(2**31, (1,))))
            share = float(draws.beta(self.config.mixup, self.config.mixup))
            partner = torch.randperm(len(rows), device=self.device)
            images = share * images + (1 - share) * images[partner]
            targets = share * targets + (1 - share) * targets[partner]
            votes = share * votes + (1 - share) * votes[partner]
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.amp):
            output, votes_logits = self.parallel(images)
        loss = loss_of(output, targets, self.config, self.class_weights)
        if votes_logits is not None:
            loss = loss + self.config.votes_weight * votes_loss(votes_logits, votes)
        (loss / self.config.accumulate).backward()
        right = (output.logits.argmax(dim=1) == targets.argmax(dim=1)).sum()
        return torch.stack([loss.detach().double(), right.double()])

    def _close_epoch(self) -> None:
        at = self.progress
        model = cast(FERVTGNN, self.average.module) if self.average is not None else self.model
        logits = run_model(
            model, self.preprocess, self.public_faces, amp=self.config.amp, batch_size=128
        ).logits
        probabilities = softmax(logits)
        accuracy = float((probabilities.argmax(axis=1) == self.public_labels).mean())
        if self.world > 1:  # batch statistics differ between processes, what is chosen must not
            shared = torch.tensor(accuracy, dtype=torch.float64, device=self.device)
            dist.broadcast(shared, 0)
            accuracy = float(shared)
        chosen = probabilities[np.arange(len(self.public_labels)), self.public_labels]
        at.history.append(
            {
                "epoch": at.epoch + 1,
                "train_loss": at.loss_sum / max(at.seen, 1),
                "train_accuracy": at.correct / max(at.seen, 1),
                "public_loss": float(-np.log(np.maximum(chosen, 1e-12)).mean()),
                "public_accuracy": accuracy,
                "learning_rate": learning_rate(self.config, at.epoch + 1),
            }
        )
        if self.rank == 0:
            self._write_history()
        at.stale += 1
        if accuracy > at.best:
            at.best, at.stale = accuracy, 0
            if self.rank == 0:
                self._write_best(model, probabilities, accuracy)
        at.epoch, at.step, at.loss_sum, at.correct, at.seen = at.epoch + 1, 0, 0.0, 0, 0
        if self.rank == 0:
            tqdm.write(
                f"epoch {at.epoch}: PublicTest accuracy {accuracy:.4f} (best {at.best:.4f})",
                file=sys.stderr,
            )

    def _write_best(self, model: FERVTGNN, probabilities: np.ndarray, accuracy: float) -> None:
        info = replace(
            self.info,
            temperature=fit_temperature(probabilities, self.public_labels),
            history=list(self.progress.history),
            metrics={
                "split": "PublicTest",
                "n": len(self.public_labels),
                "accuracy": accuracy,
                "epoch": self.progress.epoch + 1,
            },
        )
        save_checkpoint(self.best_path, model, info)

    def _write_history(self) -> None:
        with (
            write_aside(self.out / "history.csv") as aside,
            aside.open("w", newline="") as file,
        ):
            writer = csv.DictWriter(file, self.progress.history[0])
            writer.writeheader()
            writer.writerows(self.progress.history)

    def _settings(self) -> dict[str, Any]:
        return {
            "model": asdict(self.info.config),
            "train": asdict(self.config),
            "augment": asdict(self.augment),
            "data": self.info.data_hash,
            "teacher": self.info.training.get("teachers"),
        }

    def _save(self) -> None:
        if self.rank != 0:
            return
        state = {
            "settings": self._settings(),
            "progress": asdict(self.progress),
            "model": self.read_outs.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "parent": self.info.parent,
            "labels_seen": self.info.labels_seen,
        }
        with write_aside(self.state_path) as aside:
            torch.save(state, aside)

    def _restore(self) -> None:
        """Takes up the state that rank 0 finds; the others may be on machines without its disk."""
        damaged = ConfigError(f"'{self.state_path}' is damaged and cannot be resumed.")
        read: list[Any] = [None]
        if self.rank == 0:
            # Anything at all can be wrong with the file; the others must hear of it, not wait.
            with contextlib.suppress(Exception):
                read = [torch.load(self.state_path, map_location="cpu", weights_only=True)]
        if self.world > 1:
            dist.broadcast_object_list(read)
        state = read[0]
        if not (isinstance(state, dict) and isinstance(state.get("settings"), dict)):
            raise damaged
        for part, ours in self._settings().items():
            if state["settings"].get(part) != ours:
                raise ConfigError(
                    f"'{self.state_path}' belongs to a run with other {part} settings; "
                    "resume with the same ones, or use --init to start anew from its weights."
                )
        try:
            self.read_outs.load_state_dict(state["model"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.progress = _Progress(**state["progress"])
            self.info = replace(
                self.info, parent=state["parent"], labels_seen=tuple(state["labels_seen"])
            )
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise damaged from error

    def _result(self, finished: bool) -> Result:
        best = self.best_path if self.best_path.is_file() else None
        return Result(finished, best, max(self.progress.best, 0.0), self.progress.history)


def pick_device(name: str) -> torch.device:
    """Resolves "auto" to CUDA where there is one, else the CPU.

    Raises:
        ConfigError: The device does not exist here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"There is no device '{name}' here.") from error
    return device


@contextlib.contextmanager
def _stop_on_sigterm() -> Iterator[list[int]]:
    """Yields a list that becomes non-empty when the process is asked to end."""
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        yield seen
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def process_group(device: str = "auto") -> Iterator[None]:
    """Joins the other processes when started by `torchrun`; does nothing otherwise."""
    if "RANK" not in os.environ or dist.is_initialized():
        yield
        return
    chosen = pick_device(device)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
