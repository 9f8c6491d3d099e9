"""`fervt bench`: speed relative to bare libraries, and face detectors compared on photos."""

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, get_args

import torch

from fervt import __version__
from fervt.bench import PEERS, Line, bench, bench_faces
from fervt.checkpoint import CheckpointInfo, find_checkpoint, save_checkpoint
from fervt.data.transforms import Preprocess
from fervt.errors import ConfigError
from fervt.model import FERVTGNN, FERVTConfig
from fervt.predict import Predictor
from fervt.threads import limit_process
from fervt.training.distributed import Amp, use_bfloat16

HELP = "measure speed relative to bare libraries, or compare face detectors"

_SHAPE = ("stem", "width", "image_size", "embed_dim", "node_dim")
_TABLE = {"batch_size": 64, "rounds": 5, "amp": "auto"}  # what `bench faces` has no use for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=("all", "network", "faces"),
        default="all",
        help="the whole table; the network alone; or how many faces each detector finds in the "
        "photos in FOLDER",
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="for faces")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--checkpoint", help="name or file; the flagship by default")
    shape = parser.add_argument_group(
        "another architecture", "with random weights, instead of a checkpoint"
    )
    shape.add_argument("--stem", choices=("imagenet", "face", "face-fast"))
    for name in _SHAPE[1:]:
        shape.add_argument("--" + name.replace("_", "-"), type=int)
    size, rounds, amp = _TABLE.values()
    parser.add_argument("--batch-size", type=int, help=f"faces in a training step (default {size})")
    parser.add_argument(
        "--rounds", type=int, help=f"timed rounds (default {rounds}); the median counts"
    )
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument(
        "--amp", choices=get_args(Amp), help=f"bfloat16 in training (default {amp})"
    )
    parser.add_argument(
        "--against",
        action="append",
        choices=PEERS,
        default=[],
        help="also compare with this library, if it is installed; repeatable",
    )


def run(args: argparse.Namespace) -> int:
    """Measures and prints."""
    if (args.what == "faces") != (args.folder is not None):
        raise ConfigError("Give a folder of photos: fervt bench faces FOLDER.")
    if args.what == "faces" and args.against:
        raise ConfigError("--against compares classifiers, not face detectors.")
    for name, default in _TABLE.items():
        if getattr(args, name) is None:
            setattr(args, name, default)
        elif args.what == "faces":
            option = "--" + name.replace("_", "-")
            raise ConfigError(f"bench faces compares face detectors, without {option}.")
    if args.rounds < 1 or args.batch_size < 2 or (args.threads is not None and args.threads < 1):
        raise ConfigError("bench needs at least 1 round, 1 thread and a batch of 2.")
    if args.threads:
        limit_process(args.threads)
    shape = {name: value for name in _SHAPE if (value := getattr(args, name)) is not None}
    if shape and args.checkpoint:
        raise ConfigError("Choose a checkpoint or another architecture, not both.")
    predictor = _of_shape(shape) if shape else Predictor(find_checkpoint(args.checkpoint), "cpu")
    if args.what == "faces":
        return _run_faces(args.folder, predictor, args.json)
    lines = []
    if not args.json:
        print(_line("", "fervt", "", "other", "ratio", "spread"))
    for line in bench(
        predictor,
        batch_size=args.batch_size,
        turns=args.rounds,
        amp=use_bfloat16(args.amp, torch.device("cpu")),
        doors=args.what == "all",
        peers=args.against,
    ):
        lines.append(line)
        if not args.json:
            print(_describe(line), flush=True)
    if args.json:
        print(
            json.dumps(_about(predictor) | {"lines": [*map(dataclasses.asdict, lines)]}, indent=1)
        )
    return 0


def _of_shape(shape: dict[str, Any]) -> Predictor:
    config = FERVTConfig(**shape)
    torch.manual_seed(0)
    info = CheckpointInfo(config, Preprocess(config.image_size, 0.5, 0.25))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "random.safetensors"
        save_checkpoint(file, FERVTGNN(config), info)
        return Predictor(file, "cpu")


def _about(predictor: Predictor) -> dict[str, Any]:
    config = predictor.info.config
    return {
        "version": __version__,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "checkpoint": predictor.name,
        **{name: getattr(config, name) for name in _SHAPE},
    }


def _describe(line: Line) -> str:
    return _line(
        line.work,
        _time(line.ms),
        line.against,
        _time(line.against_ms),
        f"{line.ratio:.2f}x",
        f"{line.low:.2f} to {line.high:.2f}",
    )


def _time(ms: float) -> str:
    return f"{ms:.2f} ms" if ms < 10 else f"{ms:,.0f} ms"


def _line(work: str, ours: str, against: str, theirs: str, ratio: str, spread: str) -> str:
    start = f"{work:<38}{ours:>10}   {against:<48}{theirs:>10}"
    return f"{start}{ratio:>8}   {spread}".rstrip()


def _run_faces(folder: Path, predictor: Predictor, as_json: bool) -> int:
    photos, reaches = bench_faces(folder, predictor)
    if as_json:
        detectors = [dataclasses.asdict(reach) for reach in reaches]
        print(json.dumps({"photos": photos, "detectors": detectors}, indent=1))
        return 0
    print(f"{photos} photos with one face each: in how many it is found")
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
        f"live, {last.name} vs. {first.name}: {median(ratios):.2f}x the frames per second "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )
    return 0


def _row(cells: list[str]) -> str:
    return f"{cells[0]:<22}" + "".join(f"{cell:>9}" for cell in cells[1:])
