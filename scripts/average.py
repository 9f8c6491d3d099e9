"""Averages the weights of several checkpoints into one, calibrated on PublicTest.

    python -m scripts.average --data prepared.parquet --out mean.safetensors FILE=2 FILE=1

Runs that start from the same weights end near each other, and the mean of their weights is often
better than any of them (Wortsman et al., 2022). The training record comes from the first one.
`--level-pooling` also changes how the mean pools the pyramid's levels, `--gwa-focus` how many cells
GWA selects (the order of its cells stays), and `--crop` how much of a face it sees.
"""

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from fervt.checkpoint import load_checkpoint, save_checkpoint
from fervt.cli.ending import run_to_end
from fervt.data.prepared import read_prepared
from fervt.errors import ConfigError
from fervt.evaluation.run import run_model, with_labels
from fervt.files import file_sha256
from fervt.metrics import fit_temperature, softmax
from fervt.model import FERVTGNN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint to write")
    parser.add_argument("--level-pooling", choices=("gwa", "mean"), help="default: the first one's")
    parser.add_argument("--gwa-focus", type=float, help="default: the first one's")
    parser.add_argument(
        "--crop", type=float, help="share of a face's side that it sees; default: the first one's"
    )
    parser.add_argument("--description", help="one sentence; default: the first one's")
    parser.add_argument("checkpoints", nargs="+", help="FILE=WEIGHT; the first sets the config")
    args = parser.parse_args()
    parts = [_weighted(text) for text in args.checkpoints]
    total = sum(weight for _, weight in parts)
    model, info = load_checkpoint(parts[0][0])
    mean: dict[str, Tensor] = {}
    seen: set[str] = set()
    for path, weight in parts:
        other, its = load_checkpoint(path)
        if its.config != info.config or its.preprocess != info.preprocess:
            raise ConfigError(f"'{path.name}' has a different configuration than the first.")
        seen |= set(its.labels_seen)
        for name, value in other.state_dict().items():
            if value.is_floating_point():
                mean[name] = mean.get(name, 0) + value.double() * weight / total
    changes = {"level_pooling": args.level_pooling, "gwa_focus": args.gwa_focus}
    chosen = {name: value for name, value in changes.items() if value is not None}
    info = replace(info, config=replace(info.config, **chosen))
    if args.crop is not None:
        info = replace(info, preprocess=replace(info.preprocess, crop=args.crop))
    counted = model.state_dict()  # integer counters come from the first one
    model = FERVTGNN(info.config).eval()
    model.load_state_dict(counted | mean)

    data, labels, _ = with_labels(info, read_prepared(args.data, ("PublicTest",)))
    probabilities = softmax(run_model(model, info.preprocess, data.images).logits)
    accuracy = float((probabilities.argmax(axis=1) == labels).mean())
    info = replace(
        info,
        labels_seen=tuple(sorted(seen)),
        temperature=fit_temperature(probabilities, labels),
        metrics=info.metrics | {"n": len(labels), "accuracy": accuracy},
        training=info.training
        | {"averaged": {file_sha256(path)[:16]: weight / total for path, weight in parts}},
        description=args.description or info.description,
    )
    save_checkpoint(args.out, model, info)
    loss = -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean()
    print(f"PublicTest accuracy {accuracy:.4f}, log loss {loss:.4f} (n = {len(labels)})")
    return 0


def _weighted(text: str) -> tuple[Path, float]:
    """The file and the weight of FILE=WEIGHT."""
    path, _, weight = text.rpartition("=")
    try:
        number = float(weight)
    except ValueError:
        number = math.nan
    if not path or not 0 < number < math.inf:
        raise ConfigError(f"'{text}' is not FILE=WEIGHT with a weight above 0.")
    return Path(path), number


if __name__ == "__main__":
    sys.exit(run_to_end("average", main))
