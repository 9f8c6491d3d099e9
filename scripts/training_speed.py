"""Measures a training step by width and batch, and the gain of torch.compile, on one CPU thread.

    python -m scripts.training_speed 16 32 64
    python -m scripts.training_speed 16 32 --compile --batches 64

Random faces and the shipped architecture (stem "face", 42 px). The variants of a width alternate;
images per second are those of the median round.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import torch

from fervt.model import FERVTGNN, FERVTConfig
from fervt.threads import limit_process
from fervt.training.losses import loss_of
from fervt.training.optimization import build_optimizer
from fervt.training.settings import TrainConfig


def make_step(width: int, batch: int, compiled: bool) -> Callable[[], None]:
    torch.manual_seed(0)
    torch._dynamo.reset()
    config = FERVTConfig(
        image_size=42, stem="face", width=width, embed_dim=128, node_dim=64, gwa_focus=0.4
    )
    settings = TrainConfig(optimizer="sgd")
    model = FERVTGNN(config).train()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run: Any = torch.compile(model) if compiled else model
    optimizer = build_optimizer(model, model.backbone.trunk, settings)
    images = torch.randn(batch, 3, 42, 42).contiguous(memory_format=torch.channels_last)
    classes = len(config.classes)
    targets = torch.eye(classes)[torch.arange(batch) % classes]

    def step() -> None:
        loss = loss_of(run(images), targets, settings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def measure(width: int, batches: list[int], compiled: bool, turns: int) -> dict[str, Any]:
    ways = (False, True) if compiled else (False,)
    steps, first_s = {}, {}
    for batch in batches:
        for way in ways:
            name = f"{batch}{' compiled' if way else ''}"
            steps[name] = (batch, make_step(width, batch, way))
            first_s[name] = round(_seconds(steps[name][1]), 1)
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, (_, step) in steps.items():
            spent[name].append(_seconds(step))
    rates = {name: round(steps[name][0] / median(times), 1) for name, times in spent.items()}
    return {"width": width, "images_per_s": rates, "first_step_s": first_s}


def _seconds(step: Callable[[], None]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("widths", type=int, nargs="+")
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--compile", action="store_true", help="also compiled")
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    limit_process(1)
    for found in map(
        partial(measure, batches=args.batches, compiled=args.compile, turns=args.turns),
        args.widths,
    ):
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
