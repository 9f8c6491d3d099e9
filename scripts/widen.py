"""Widens a checkpoint's trunk without changing its output, as a start for further training.

    python -m scripts.widen --checkpoint fervt-narrow --width 32 --out wide.safetensors
    python -m fervt train --init wide.safetensors --width 32 ...

The old channels and the tokens keep their weights and read nothing from the new channels, which are
random and read everything; training joins them (after Net2Net: Chen et al., 2016, but without its
copied channels, which would need noise to break their symmetry).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from fervt.checkpoint import CheckpointInfo, find_checkpoint, load_checkpoint, save_checkpoint
from fervt.cli.ending import run_to_end
from fervt.errors import ConfigError
from fervt.files import file_sha256
from fervt.model import FERVTGNN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, help="name or file")
    parser.add_argument("--width", type=int, required=True, help="channels of the first stage")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint to write")
    parser.add_argument("--seed", type=int, default=0, help="seed of the new channels")
    args = parser.parse_args()
    widen(find_checkpoint(args.checkpoint), args.width, args.out, args.seed)
    return 0


def widen(checkpoint: Path, width: int, out: Path, seed: int = 0) -> None:
    narrow, info = load_checkpoint(checkpoint)
    if width <= info.config.width:
        raise ConfigError(
            f"'{checkpoint.name}' has width {info.config.width}; choose a larger width."
        )
    torch.manual_seed(seed)
    model = FERVTGNN(replace(info.config, width=width))
    small, large = narrow.state_dict(), model.state_dict()
    model.load_state_dict({name: put_in_corner(small[name], large[name]) for name in large})
    widened = CheckpointInfo(
        model.config,
        info.preprocess,
        temperature=info.temperature,
        data_hash=info.data_hash,
        split_rule=info.split_rule,
        labels_seen=info.labels_seen,
        parent=file_sha256(checkpoint),
        description=f"{checkpoint.stem}, widened to {width} channels and not trained since",
    )
    save_checkpoint(out, model, widened)


def put_in_corner(small: Tensor, large: Tensor) -> Tensor:
    """Copies a layer's weights into a wider one's; its old outputs don't read the new inputs."""
    wide = large.clone()
    if small.ndim > 1:
        wide[: len(small)] = 0
    wide[tuple(slice(size) for size in small.shape)] = small
    return wide


if __name__ == "__main__":
    sys.exit(run_to_end("widen", main))
