"""Trains the model without its parts, in equal time and with several seeds: assets/ablations.json.

    python -m scripts.ablations --data prepared.parquet --runs ~/runs [--seeds 3] [--at-once 2]

Each run is `fervt train` with configs/parts.toml; interrupted runs resume. First, the processor
time of each variant's training steps is measured in turns (paces.json): a variant without a part
gets as many more epochs as the part costs. The metrics are the best PublicTest accuracy of each run
and the log loss of that epoch: for comparing parts, not for reporting.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fervt.checkpoint import read_info
from fervt.cli.ending import run_to_end
from fervt.cli.train import read_settings
from fervt.data.prepared import read_prepared
from fervt.files import write_aside
from fervt.reports.retrained import ABLATIONS
from fervt.training.loop import Trainer

CONFIG = Path(__file__).parents[1] / "configs" / "parts.toml"
VARIANTS: dict[str, dict[str, bool | float]] = {
    "full": {},
    "without GWA": {"use_gwa": False, "equivariance_weight": 0.0},
    "without GNN": {"use_gnn": False},
    "without both": {"use_gwa": False, "use_gnn": False, "equivariance_weight": 0.0},
}
TURNS, TURN_MINUTES = 3, 0.25  # of measuring each variant's steps


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--runs", type=Path, required=True, help="folder for states, logs, weights")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--at-once", type=int, default=os.cpu_count() or 1, help="single-threaded runs in parallel"
    )
    args = parser.parse_args()
    epochs = equal_time(args.data, args.runs)
    # Seed by seed, so that the results so far are always a fair comparison.
    runs = [(name, seed) for seed in range(args.seeds) for name in VARIANTS]
    with ThreadPoolExecutor(args.at_once) as pool:
        codes = list(pool.map(lambda run: train(args.data, args.runs, epochs, *run), runs))
    summarize(args.runs, args.seeds, epochs)
    return int(any(codes))


def equal_time(data: Path, runs: Path) -> dict[str, int]:
    """Each variant's epochs in the time that the full model needs for those of the config."""
    paces = runs / "paces.json"
    if not paces.is_file():
        runs.mkdir(parents=True, exist_ok=True)
        paces.write_text(json.dumps(measure_steps(data, runs), indent=1) + "\n")
    seconds = json.loads(paces.read_text())
    _, config, _, _ = read_settings(CONFIG, {})
    return {name: round(config.epochs * seconds["full"] / seconds[name]) for name in VARIANTS}


def measure_steps(data: Path, runs: Path) -> dict[str, float]:
    """Processor seconds of a training step of each variant on one thread, measured in turns."""
    torch.set_num_threads(1)
    faces = read_prepared(data)
    trainers = {}
    for name, changes in VARIANTS.items():
        model, config, augment, _ = read_settings(CONFIG, changes)
        trainers[name] = Trainer(faces, folder(runs, name, 0) / "pace", model, config, augment)
        trainers[name].run(resume=True, max_minutes=0.7)  # compiles it
    spent: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(TURNS):
        for name, trainer in trainers.items():
            began, first = time.process_time(), steps(trainer)
            trainer.run(resume=True, max_minutes=TURN_MINUTES)
            spent[name].append((time.process_time() - began) / (steps(trainer) - first))
    return {name: float(np.median(each)) for name, each in spent.items()}


def folder(runs: Path, name: str, seed: int) -> Path:
    return runs / f"{name.replace(' ', '-').lower()}-{seed}"


def steps(trainer: Trainer) -> int:
    return trainer.progress.epoch * trainer.steps + trainer.progress.step


def train(data: Path, runs: Path, epochs: dict[str, int], name: str, seed: int) -> int:
    out = folder(runs, name, seed)
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "fervt", "train", "--data", str(data)]
    command += ["--config", str(CONFIG), "--out", str(out), "--resume", "--threads", "1"]
    command += ["--seed", str(seed), "--epochs", str(epochs[name])]
    for option, value in VARIANTS[name].items():
        words = option.replace("_", "-")
        command += [f"--no-{words}"] if value is False else [f"--{words}", str(value)]
    with (out / "log").open("a") as log:
        code = subprocess.run(command, stdout=log, stderr=log).returncode
    print(f"{name}, seed {seed}: exit {code}", flush=True)
    return code


def summarize(runs: Path, seeds: int, epochs: dict[str, int]) -> None:
    """Writes the finished runs: those with all of their epochs in the history."""
    table = []
    for name in VARIANTS:
        accuracies, losses = [], []
        for seed in range(seeds):
            file = folder(runs, name, seed) / "history.csv"
            if not file.is_file():
                continue
            history = pd.read_csv(file)
            if len(history) != epochs[name]:
                continue
            best = history.loc[history["public_accuracy"].idxmax()]
            accuracies.append(float(best["public_accuracy"]))
            losses.append(float(best["public_loss"]))
            info = read_info(folder(runs, name, seed) / "best.safetensors")
        if not accuracies:
            continue
        table.append(
            {
                "variant": name,
                "epochs": epochs[name],
                "accuracies": accuracies,
                "mean": float(np.mean(accuracies)),
                "standard_deviation": (
                    float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else None
                ),
                "log_losses": losses,
            }
        )
    if not table:
        sys.exit("ablations: no run has finished; the summary is unchanged.")
    entry = {
        "split": "PublicTest",
        "n": info.metrics["n"],
        "width": info.config.width,
        "image_size": info.config.image_size,
        "stem": info.config.stem,
        "variants": table,
    }
    with write_aside(ABLATIONS) as aside:
        aside.write_text(json.dumps(entry, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(run_to_end("ablations", main))
