"""Widens a checkpoint's trunk and leaves what the model says as it is: a start for `train --init`.

    python -m scripts.widen --checkpoint narrow.safetensors --width 32 --out wide.safetensors

The old channels keep their weights and read nothing of the new ones, which are random and read all;
training joins them (after Net2Net: Chen et al., 2016, without its copies of channels, which would
have to be told apart by noise).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from fervt.checkpoint import load_checkpoint, save_checkpoint
from fervt.errors import ConfigError, FervtError
from fervt.files import file_sha256
from fervt.model import FERVTGNN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--width", type=int, required=True, help="channels of the first stage")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint to write")
    parser.add_argument("--seed", type=int, default=0, help="seed of the new channels")
    args = parser.parse_args()
    try:
        widen(args.checkpoint, args.width, args.out, args.seed)
    except FervtError as error:
        sys.exit(f"widen: {error}")
    return 0


def widen(checkpoint: Path, width: int, out: Path, seed: int = 0) -> None:
    narrow, info = load_checkpoint(checkpoint)
    if width <= info.config.width:
        raise ConfigError(f"'{checkpoint.name}' has width {info.config.width}; name a greater one.")
    torch.manual_seed(seed)
    model = FERVTGNN(replace(info.config, width=width))
    small, large = narrow.state_dict(), model.state_dict()
    model.load_state_dict({name: embed(small[name], large[name]) for name in large})
    info = replace(info, config=model.config, parent=file_sha256(checkpoint))
    save_checkpoint(out, model, info)


def embed(small: Tensor, large: Tensor) -> Tensor:
    """Puts a layer's weights into the corner of a wider layer's, whose old outputs read only it."""
    wide = large.clone()
    if small.ndim > 1:
        wide[: len(small)] = 0
    wide[tuple(slice(size) for size in small.shape)] = small
    return wide


if __name__ == "__main__":
    sys.exit(main())
