"""Speed as ratios: FERVT-GNN against a bare ResNet-34 doing the same work, measured in one run.

Machines differ and are noisy; a ratio of two things timed in turns, each at its fastest round, is
what carries over. The bare network is torchvision's ResNet-34 with the same stem, width and size
and a linear classifier.
"""

import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from fervt.checkpoint import find_checkpoint
from fervt.data.transforms import FACE_SIZE, Preprocess
from fervt.evaluation.run import run_model
from fervt.examples import load_example
from fervt.explain import explain_face
from fervt.model import FERVTGNN, FERVTConfig
from fervt.model.backbone import ResNet34
from fervt.predict import Predictor, to_face
from fervt.training.losses import loss_of
from fervt.training.optimization import build_optimizer
from fervt.training.settings import TrainConfig


class BareResNet34(nn.Module):
    """The trunk alone with mean pooling and a linear classifier: images to logits (B, C)."""

    def __init__(self, config: FERVTConfig) -> None:
        super().__init__()
        self.trunk = ResNet34(config.stem, config.width)
        self.head = nn.Linear(8 * config.width, len(config.classes))

    def forward(self, images: Tensor) -> Tensor:
        """Classifies."""
        return self.head(self.trunk(images)[-1].mean(dim=(2, 3)))


def fastest(tasks: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Times tasks in turns; seconds of each one's fastest round, after a warm-up round."""
    best = dict.fromkeys(tasks, float("inf"))
    for turn in range(rounds + 1):
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            if turn:
                best[name] = min(best[name], time.perf_counter() - started)
    return best


def _models(config: FERVTConfig) -> tuple[FERVTGNN, BareResNet34]:
    torch.manual_seed(0)
    channels_last: Any = {"memory_format": torch.channels_last}
    return FERVTGNN(config).to(**channels_last), BareResNet34(config).to(**channels_last)


def bench_training(
    config: FERVTConfig, batch_size: int, rounds: int, amp: bool
) -> dict[str, float]:
    """Images a second of one optimizer step, ours and bare, and their ratio."""
    ours, bare = _models(config)
    images = torch.randn(batch_size, 3, config.image_size, config.image_size)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch_size) % len(config.classes)
    targets = nn.functional.one_hot(labels, len(config.classes)).float()
    settings = TrainConfig()
    our_optimizer = build_optimizer(ours, ours.backbone.trunk, settings)
    bare_optimizer = torch.optim.AdamW(bare.parameters())

    def step_ours() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            output = ours(images)
        our_optimizer.zero_grad()
        loss_of(output, targets, settings).backward()
        our_optimizer.step()

    def step_bare() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            logits = bare(images)
        bare_optimizer.zero_grad()
        nn.functional.cross_entropy(logits.float(), targets).backward()
        bare_optimizer.step()

    ours.train()
    bare.train()
    seconds = fastest({"fervt_gnn": step_ours, "resnet34": step_bare}, rounds)
    rates = {name: batch_size / s for name, s in seconds.items()}
    return {
        "fervt_gnn_images_per_s": rates["fervt_gnn"],
        "resnet34_images_per_s": rates["resnet34"],
        "ratio": rates["fervt_gnn"] / rates["resnet34"],
    }


def bench_latency(config: FERVTConfig, rounds: int) -> dict[str, float]:
    """Milliseconds of one face's forward pass, ours and bare, and their ratio."""
    ours, bare = _models(config)
    ours.eval()
    bare.eval()
    image = torch.randn(1, 3, config.image_size, config.image_size)
    image = image.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        seconds = fastest(
            {"fervt_gnn": lambda: ours(image), "resnet34": lambda: bare(image)}, 5 * rounds
        )
    return {
        "fervt_gnn_ms": 1000 * seconds["fervt_gnn"],
        "resnet34_ms": 1000 * seconds["resnet34"],
        "ratio": seconds["fervt_gnn"] / seconds["resnet34"],
    }


def bench_evaluation(config: FERVTConfig, rounds: int) -> dict[str, float]:
    """Faces a second of `run_model` and of a bare loop over the same batches in memory."""
    model, _ = _models(config)
    model.eval()
    preprocess = Preprocess(config.image_size, 0.5, 0.25)
    faces = torch.randint(256, (512, FACE_SIZE, FACE_SIZE), dtype=torch.uint8)
    batches = [
        preprocess.to_input(part).contiguous(memory_format=torch.channels_last)
        for part in faces.split(64)
    ]
    array = faces.numpy()

    def bare_loop() -> None:
        with torch.inference_mode():
            for batch in batches:
                model(batch)

    seconds = fastest(
        {"evaluate": lambda: run_model(model, preprocess, array), "bare": bare_loop}, rounds
    )
    return {
        "evaluate_faces_per_s": len(faces) / seconds["evaluate"],
        "bare_loop_faces_per_s": len(faces) / seconds["bare"],
        "ratio": seconds["bare"] / seconds["evaluate"],
    }


def bench_busy_neighbor(predictor: Predictor, rounds: int) -> dict[str, dict[str, float]]:
    """What one other program that holds a core costs Predict (of a picture) and Explain.

    With it and without it in turns, since other programs come and go; the median counts, since the
    fastest turn is the one that the neighbor left alone.

    Args:
        predictor: The checkpoint.
        rounds: Timed turns of each, 1 or more.

    Returns:
        For each: milliseconds without and with the neighbor, and with over without.
    """
    picture = load_example("astronaut")
    face = to_face(predictor.predict(picture)[0].crop)
    tasks: dict[str, Callable[[], Any]] = {
        "predict": lambda: predictor.predict(picture),
        "explain": lambda: explain_face(predictor, face),
    }
    seconds: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for turn in range(rounds + 1):
        for busy in (False, True):
            with _busy_neighbor() if busy else nullcontext():
                for name, task in tasks.items():
                    started = time.perf_counter()
                    task()
                    if turn:
                        seconds[name, busy].append(time.perf_counter() - started)
    found = {}
    for name in tasks:
        quiet, beside = (statistics.median(seconds[name, busy]) for busy in (False, True))
        found[name] = {"quiet_ms": 1000 * quiet, "busy_ms": 1000 * beside, "ratio": beside / quiet}
    return found


@contextmanager
def _busy_neighbor() -> Iterator[None]:
    """Another program that computes all the time, from when it says that it has begun."""
    program = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as neighbor:
        assert neighbor.stdout is not None
        neighbor.stdout.readline()
        try:
            yield
        finally:
            neighbor.kill()


def bench(
    config: FERVTConfig, *, batch_size: int = 64, rounds: int = 5, amp: bool = True
) -> dict[str, Any]:
    """All of it, as plain data.

    Args:
        config: The architecture to measure.
        batch_size: Faces in a training step.
        rounds: Timed rounds of each; the fastest counts.
        amp: bfloat16 autocast in training.
    """
    parts = {
        "without_gwa": replace(config, use_gwa=False),
        "without_gnn": replace(config, use_gnn=False),
    }
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "stem": config.stem,
        "width": config.width,
        "image_size": config.image_size,
        "batch_size": batch_size,
        "training": bench_training(config, batch_size, rounds, amp),
        "latency": bench_latency(config, rounds),
        "latency_of_variants": {n: bench_latency(c, rounds)["ratio"] for n, c in parts.items()},
        "evaluation": bench_evaluation(config, max(rounds // 2, 1)),
        "busy_neighbor": bench_busy_neighbor(Predictor(find_checkpoint()), rounds),
    }
