"""Exchanges a checkpoint's GWA for another's, as a start for further training.

    python -m scripts.exchange_gwa --checkpoint fervt-narrow --donor fervt-fast --out x.safetensors
    python -m fervt train --init x.safetensors --gwa-embedding convolutional ...

GWA reads the picture, not the trunk's features, so it works with any trunk that sees the same crop.
So a flagship whose map stays in place can start from the map of a network that follows the face.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from fervt.checkpoint import CheckpointInfo, find_checkpoint, load_checkpoint, save_checkpoint
from fervt.cli.ending import run_to_end
from fervt.errors import ConfigError
from fervt.files import file_sha256
from fervt.model import FERVTGNN

_SETTINGS = ("gwa_heads", "gwa_focus", "gwa_embedding")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, help="name or file; keeps all but its GWA")
    parser.add_argument("--donor", required=True, help="name or file; gives its GWA")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint to write")
    args = parser.parse_args()
    exchange(find_checkpoint(args.checkpoint), find_checkpoint(args.donor), args.out)
    return 0


def exchange(checkpoint: Path, donor: Path, out: Path) -> None:
    keeper, info = load_checkpoint(checkpoint)
    giver, its = load_checkpoint(donor)
    if not (info.config.use_gwa and its.config.use_gwa):
        raise ConfigError("Both checkpoints need GWA.")
    if its.preprocess != info.preprocess or its.config.gwa_dim != info.config.gwa_dim:
        raise ConfigError(f"The GWA of '{donor.name}' does not fit '{checkpoint.name}'.")
    settings = {name: getattr(its.config, name) for name in _SETTINGS}
    model = FERVTGNN(replace(info.config, **settings))
    given = {k: v for k, v in giver.state_dict().items() if k.startswith("gwa.")}
    kept = {k: v for k, v in keeper.state_dict().items() if not k.startswith("gwa.")}
    model.load_state_dict(kept | given)
    mixed = CheckpointInfo(
        model.config,
        info.preprocess,
        data_hash=info.data_hash,
        split_rule=info.split_rule,
        labels_seen=tuple(sorted({*info.labels_seen, *its.labels_seen})),
        parent=file_sha256(checkpoint),
        description=f"{checkpoint.stem} with the GWA of {donor.stem}, not trained since",
    )
    save_checkpoint(out, model, mixed)


if __name__ == "__main__":
    sys.exit(run_to_end("exchange_gwa", main))
