"""Training: one plain loop that selects by PublicTest and can be stopped at any moment.

Every random draw follows from (seed, epoch, step, part), so a run that was killed and resumed ends
with the same weights as one that never stopped. A batch is cut into equal parts, one for each
process and gradient accumulation step; two processes therefore match one that accumulates
two parts.
"""

import contextlib
import csv
import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
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
from fervt.data.transforms import NO_AUGMENT, Augment
from fervt.errors import ConfigError
from fervt.evaluation.run import run_model
from fervt.files import file_sha256, write_aside
from fervt.metrics import fit_temperature, softmax
from fervt.model import FERVTGNN, FERVTConfig
from fervt.training.distributed import pick_device, seed_all, use_bfloat16
from fervt.training.faces import gather
from fervt.training.kept_gwa import check_same_gwa
from fervt.training.lessons import draw_lesson
from fervt.training.losses import loss_of, votes_loss
from fervt.training.optimization import build_optimizer, learning_rate, moving_average
from fervt.training.readouts import ReadOuts
from fervt.training.relevance import cost_of_hiding
from fervt.training.settings import TrainConfig
from fervt.training.state import Position, check_settings, read_state, restore, write_state
from fervt.training.teachers import SameViewTeacher


@dataclass(frozen=True)
class Result:
    """How a call of `train` ended.

    Attributes:
        finished: False when it stopped early at a resumable point.
        best: The checkpoint with the highest PublicTest accuracy so far, None before the first.
        accuracy: Its PublicTest accuracy, 0..1.
        history: One dict per epoch.
    """

    finished: bool
    best: Path | None
    accuracy: float
    history: list[dict[str, float]]


class Trainer:
    """One run: the model, its moving average, the optimizer and the state on disk."""

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
        distill: Path | None = None,
        imagenet: Path | Literal["download"] | None = None,
        description: str = "",
    ) -> None:
        self.out, self.config, self.description = out, config, description
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.world = dist.get_world_size() if dist.is_initialized() else 1
        self.device = pick_device(device)
        self.amp = use_bfloat16(config.amp, self.device)
        self.augment = (augment or Augment()) if config.augment else NO_AUGMENT
        self.fit = gather(data, model_config, config, teachers).to(self.device)
        self.preprocess = self.fit.preprocess
        self.batch = min(config.batch_size, len(self.fit.faces))
        self.parts = self.world * config.accumulate
        if self.batch % self.parts:
            raise ConfigError(
                f"A batch of {self.batch} cannot be divided into {self.parts} equal parts "
                "(processes times accumulate)."
            )
        if self.batch < 2 * self.parts:
            raise ConfigError(
                f"A batch of {self.batch} in {self.parts} part{'s' * (self.parts > 1)} (processes "
                "times accumulate) is too small: batch normalization needs 2 faces in each."
            )
        self.steps = len(self.fit.faces) // self.batch
        if (distill is not None) != bool(config.distill_weight):
            raise ConfigError("--distill and a --distill-weight above 0 need each other.")
        if config.relevance_weight and distill is None:
            raise ConfigError("relevance_weight needs --distill.")
        self.teacher = distill and SameViewTeacher(
            distill, model_config.classes, self.preprocess, self.device, compiled=config.compile
        )

        seed_all(config.seed)
        self.model = FERVTGNN(model_config)
        seen = set(self.fit.labels_seen)
        if imagenet is not None:
            self.model.backbone.trunk.load_imagenet(None if imagenet == "download" else imagenet)
        start = init_from(self.model, init) if init else None
        if start:
            seen |= set(start.labels_seen)
        if config.freeze_gwa:
            check_same_gwa(start, model_config, self.preprocess)
        if self.teacher:
            seen |= self.teacher.labels_seen
        self.read_outs = ReadOuts(self.model, config.votes_weight > 0, config.freeze_gwa)
        self.read_outs.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = (
            AveragedModel(
                self.model, multi_avg_fn=moving_average(config.ema_decay), use_buffers=True
            )
            if config.ema_decay
            else None
        )
        # Wrapped, it still has the same parameters: state and optimizer see `read_outs`.
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
            training={
                **asdict(config),
                "augmentation": asdict(self.augment),
                **({"teachers": list(self.fit.teachers)} if teachers else {}),
                **({"distilled": self.teacher.digest} if self.teacher else {}),
            },
            parent=file_sha256(init) if init else "",
            description=description,
        )
        self.progress = Position()

    @property
    def state_path(self) -> Path:
        """The resumable state: weights, average, optimizer, position."""
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
            ConfigError: The folder contains a run and `resume` is off, the state does not fit these
                settings, or the loss is no longer finite.
        """
        found = self._any(self.rank == 0 and self.state_path.is_file())
        if found and not resume:
            raise ConfigError(
                f"'{self.out}' already contains a run; use --resume or name another --out."
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
        """Whether any process asks to stop: all must stop at the same step."""
        if self.world == 1:
            return here
        flag = torch.tensor(float(here), device=self.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())

    def _out_of_patience(self) -> bool:
        return bool(self.config.patience) and self.progress.stale >= self.config.patience

    def _order(self) -> Tensor:
        generator = torch.Generator().manual_seed(self.config.seed * 100_003 + self.progress.epoch)
        return torch.randperm(len(self.fit.faces), generator=generator).to(self.device)

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
            seed_all(config.seed, at.epoch, at.step, part)
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
                "The loss is no longer finite; start again with a lower --lr, with --init from "
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
        images = self.augment(self.fit.faces[rows], self.preprocess)
        targets, votes = self.fit.targets[rows], self.fit.votes[rows]
        if self.config.mixup > 0:
            draws = np.random.default_rng(int(torch.randint(2**31, (1,))))
            share = float(draws.beta(self.config.mixup, self.config.mixup))
            partner = torch.randperm(len(rows), device=self.device)
            images = share * images + (1 - share) * images[partner]
            targets = share * targets + (1 - share) * targets[partner]
            votes = share * votes + (1 - share) * votes[partner]
        labels = targets.argmax(dim=1)
        images = images.contiguous(memory_format=torch.channels_last)
        step = self.progress.epoch * self.steps + self.progress.step
        faces = self.fit.faces[rows]
        lesson = draw_lesson(step, self.config, faces, images, self.augment, self.preprocess)
        drops = None
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
            if self.teacher:
                told = self.teacher.answer(images)
                if lesson.hidden is not None:
                    drops = cost_of_hiding(self.teacher, images, lesson.hidden, told)
                targets = targets + self.config.distill_weight * (told - targets)
            answers = self.parallel(images, lesson.windows, lesson.swap, lesson.neutralize)
        loss = loss_of(answers.output, targets, self.config, self.fit.class_weights)
        loss = loss + lesson.loss(answers, targets, drops, self.config)
        if answers.votes is not None:
            loss = loss + self.config.votes_weight * votes_loss(answers.votes, votes)
        (loss / self.config.accumulate).backward()
        right = (answers.output.logits.argmax(dim=1) == labels).sum()
        return torch.stack([loss.detach().double(), right.double()])

    def _close_epoch(self) -> None:
        at = self.progress
        model = cast(FERVTGNN, self.average.module) if self.average is not None else self.model
        logits = run_model(
            model, self.preprocess, self.fit.public_faces, amp=self.amp, batch_size=128
        ).logits
        probabilities = softmax(logits)
        accuracy = float((probabilities.argmax(axis=1) == self.fit.public_labels).mean())
        if self.world > 1:  # batch statistics differ between processes, the selection must not
            shared = torch.tensor(accuracy, dtype=torch.float64, device=self.device)
            dist.broadcast(shared, 0)
            accuracy = float(shared)
        chosen = probabilities[np.arange(len(self.fit.public_labels)), self.fit.public_labels]
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
            temperature=fit_temperature(probabilities, self.fit.public_labels),
            history=list(self.progress.history),
            metrics={
                "split": "PublicTest",
                "n": len(self.fit.public_labels),
                "accuracy": accuracy,
                "epoch": self.progress.epoch + 1,
            },
        )
        save_checkpoint(self.best_path, model, info)

    def _write_history(self) -> None:
        with (
            write_aside(self.out / "history.csv") as aside,
            aside.open("w", encoding="utf-8", newline="") as file,
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
            "distilled": self.info.training.get("distilled"),
        }

    def _save(self) -> None:
        if self.rank == 0:
            write_state(self.state_path, self._settings(), self._parts(), self.progress, self.info)

    def _parts(self) -> dict[str, Any]:
        """Everything that has its own state."""
        parts = {"model": self.read_outs, "optimizer": self.optimizer}
        return parts | ({"average": self.average} if self.average is not None else {})

    def _restore(self) -> None:
        state = read_state(self.state_path, self.rank, self.world)
        check_settings(self.state_path, state, self._settings())
        self.progress, self.info = restore(self.state_path, state, self._parts(), self.info)

    def _result(self, finished: bool) -> Result:
        best = self.best_path if self.best_path.is_file() else None
        return Result(finished, best, max(self.progress.best, 0.0), self.progress.history)


@contextlib.contextmanager
def _stop_on_sigterm() -> Iterator[list[int]]:
    """Yields a list that becomes non-empty when the process is asked to end."""
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        yield seen
    finally:
        signal.signal(signal.SIGTERM, before)
