"""Trains the model without its parts, on a fixed budget and several seeds: assets/ablations.json.

    python -m scripts.ablations --data prepared.parquet --runs ~/runs [--seeds 3] [--at-once 2]

Each run is `fervt train` with configs/ablation.toml; interrupted runs resume. The metric is the
best PublicTest accuracy of each run: for comparing parts, not for reporting.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from fervt.checkpoint import read_info
from fervt.files import write_aside
from fervt.reports.card import ABLATIONS

CONFIG = Path(__file__).parents[1] / "configs" / "ablation.toml"
VARIANTS = {
    "full": [],
    "without GWA": ["--no-use-gwa"],
    "without GNN": ["--no-use-gnn"],
    "without both": ["--no-use-gwa", "--no-use-gnn"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--runs", type=Path, required=True, help="folder for states, logs, weights")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--at-once", type=int, default=os.cpu_count() or 1, help="single-threaded runs in parallel"
    )
    args = parser.parse_args()
    # Seed by seed, so that the results so far are always a fair comparison.
    runs = [(name, seed) for seed in range(args.seeds) for name in VARIANTS]
    with ThreadPoolExecutor(args.at_once) as pool:
        codes = list(pool.map(lambda run: train(args.data, args.runs, *run), runs))
    summarize(args.runs, args.seeds)
    return int(any(codes))


def folder(runs: Path, name: str, seed: int) -> Path:
    return runs / f"{name.replace(' ', '-').lower()}-{seed}"


def train(data: Path, runs: Path, name: str, seed: int) -> int:
    out = folder(runs, name, seed)
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "fervt", "train", "--data", str(data)]
    command += ["--config", str(CONFIG), "--out", str(out), "--resume", "--threads", "1"]
    command += ["--seed", str(seed), *VARIANTS[name]]
    with (out / "log").open("a") as log:
        code = subprocess.run(command, stdout=log, stderr=log).returncode
    print(f"{name}, seed {seed}: exit {code}", flush=True)
    return code


def summarize(runs: Path, seeds: int) -> None:
    """Writes the finished runs: those with all of their epochs in the history."""
    table = []
    for name in VARIANTS:
        found = {}
        for seed in range(seeds):
            history = folder(runs, name, seed) / "history.csv"
            if not history.is_file():
                continue
            read = read_info(folder(runs, name, seed) / "best.safetensors")
            if len(history.read_text().splitlines()) - 1 == read.training["epochs"]:
                found[seed] = read.metrics["accuracy"]
                info = read
        if not found:
            continue
        accuracies = list(found.values())
        table.append(
            {
                "variant": name,
                "accuracies": accuracies,
                "mean": float(np.mean(accuracies)),
                "standard_deviation": float(np.std(accuracies, ddof=1)) if len(found) > 1 else None,
            }
        )
    if not table:
        sys.exit("ablations: no run has finished; the summary is unchanged.")
    entry = {
        "split": "PublicTest",
        "n": info.metrics["n"],
        "epochs": info.training["epochs"],
        "width": info.config.width,
        "image_size": info.config.image_size,
        "stem": info.config.stem,
        "variants": table,
    }
    with write_aside(ABLATIONS) as aside:
        aside.write_text(json.dumps(entry, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
