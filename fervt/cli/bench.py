"""`fervt bench`: speed against a bare ResNet-34, measured in one run."""

import argparse
import json
from typing import get_args

import torch

from fervt.bench import bench
from fervt.errors import ConfigError
from fervt.model import FERVTConfig
from fervt.threads import limit_process
from fervt.training.distributed import Amp, use_bfloat16

HELP = "measure speed as ratios to a bare ResNet-34"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    default = FERVTConfig()
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--stem", default=default.stem, choices=("imagenet", "face", "face-fast"))
    parser.add_argument("--width", type=int, default=default.width)
    parser.add_argument("--image-size", type=int, default=default.image_size)
    parser.add_argument("--embed-dim", type=int, default=default.embed_dim)
    parser.add_argument("--node-dim", type=int, default=default.node_dim)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds; the fastest counts")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--amp", choices=get_args(Amp), default="auto", help="bfloat16 in training")


def run(args: argparse.Namespace) -> int:
    """Measures and prints."""
    if args.rounds < 1 or args.batch_size < 2 or (args.threads or 1) < 1:
        raise ConfigError("bench needs at least 1 round, 1 thread and a batch of 2.")
    if args.threads:
        limit_process(args.threads)
    config = FERVTConfig(
        stem=args.stem,
        width=args.width,
        image_size=args.image_size,
        embed_dim=args.embed_dim,
        node_dim=args.node_dim,
    )
    amp = use_bfloat16(args.amp, torch.device("cpu"))
    found = bench(config, batch_size=args.batch_size, rounds=args.rounds, amp=amp)
    if args.json:
        print(json.dumps(found, indent=1))
        return 0
    training, latency, evaluation = (found[k] for k in ("training", "latency", "evaluation"))
    print(
        f"training step: {training['fervt_gnn_images_per_s']:.1f} images/s, bare ResNet-34 "
        f"{training['resnet34_images_per_s']:.1f}: {training['ratio']:.2f}x\n"
        f"one face: {latency['fervt_gnn_ms']:.1f} ms, bare ResNet-34 "
        f"{latency['resnet34_ms']:.1f} ms: {latency['ratio']:.2f}x\n"
        f"evaluate: {evaluation['evaluate_faces_per_s']:.0f} faces/s, bare loop "
        f"{evaluation['bare_loop_faces_per_s']:.0f}: {evaluation['ratio']:.2f}x"
    )
    for name, times in found["busy_neighbor"].items():
        print(
            f"busy neighbor, {name}: {times['busy_ms']:.0f} ms, without it "
            f"{times['quiet_ms']:.0f}: {times['ratio']:.2f}x"
        )
    return 0
