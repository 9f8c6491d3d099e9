"""`fervt bench`: speed against a bare ResNet-34; what face detectors find in a folder of photos."""

import argparse
import dataclasses
import json
from pathlib import Path
from statistics import median
from typing import get_args

import torch

from fervt.bench import bench, bench_faces
from fervt.checkpoint import find_checkpoint
from fervt.errors import ConfigError
from fervt.model import FERVTConfig
from fervt.predict import Predictor
from fervt.threads import limit_process
from fervt.training.distributed import Amp, use_bfloat16

HELP = "measure speed as ratios to a bare ResNet-34, or face detectors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    default = FERVTConfig()
    parser.add_argument(
        "what",
        nargs="?",
        choices=("network", "faces"),
        default="network",
        help="the network's speed, or what each face detector finds in the photos of FOLDER",
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="for faces")
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
    if (args.what == "faces") != (args.folder is not None):
        raise ConfigError("Say which photos: fervt bench faces FOLDER.")
    if args.what == "faces":
        return _run_faces(args.folder, args.json)
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


def _run_faces(folder: Path, as_json: bool) -> int:
    photos, reaches = bench_faces(folder, Predictor(find_checkpoint(None)))
    if as_json:
        detectors = [dataclasses.asdict(reach) for reach in reaches]
        print(json.dumps({"photos": photos, "detectors": detectors}, indent=1))
        return 0
    print(f"{photos} photos of one face each: in how many it is found")
    columns = list(reaches[0].found)
    times = [f"{side} px" for side in reaches[0].search_ms]
    print(_row(["detector", *columns, *times, "live"]))
    for reach in reaches:
        milliseconds = [f"{ms:.0f} ms" for ms in reach.search_ms.values()]
        fps = f"{median(reach.live_fps):.1f}/s"
        print(_row([reach.name, *map(str, reach.found.values()), *milliseconds, fps]))
    first, last = reaches[0], reaches[-1]
    ratios = [new / old for new, old in zip(last.live_fps, first.live_fps, strict=True)]
    print(
        f"live, {last.name} against {first.name}: {median(ratios):.2f}x the frames a second "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )
    return 0


def _row(cells: list[str]) -> str:
    return f"{cells[0]:<22}" + "".join(f"{cell:>9}" for cell in cells[1:])
