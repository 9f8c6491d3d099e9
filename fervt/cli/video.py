"""`fervt video`: a video file to an annotated copy and a table, on the command line."""

import argparse
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from fervt.cli.model import add_model_options, chosen_predictor
from fervt.errors import ConfigError
from fervt.labels import NOTICE
from fervt.live import OVERLAYS, FrameReading
from fervt.video import VIDEO_SETTINGS, read_video

HELP = "read the apparent expressions in a video file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("video", type=Path, metavar="FILE")
    parser.add_argument("--out", type=Path, metavar="OUT.mp4", help="write an annotated copy")
    parser.add_argument(
        "--csv", type=Path, metavar="OUT.csv", help="write a row per frame and face"
    )
    add_model_options(parser)
    parser.add_argument("--overlay", choices=OVERLAYS, default=VIDEO_SETTINGS.overlay)
    parser.add_argument(
        "--half-life",
        type=float,
        default=VIDEO_SETTINGS.half_life_s,
        metavar="SECONDS",
        help="smoothing over time; 0 for none (default: %(default)s)",
    )
    parser.add_argument(
        "--search-every",
        type=int,
        default=VIDEO_SETTINGS.search_every,
        metavar="FRAMES",
        help="search for faces once in this many frames (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Processes the video and prints a summary."""
    if args.out is None and args.csv is None:
        raise ConfigError("Give an output file: --out OUT.mp4, --csv OUT.csv, or both.")
    if args.half_life < 0 or args.search_every < 1:
        raise ConfigError("--half-life must be 0 or more, --search-every 1 or more.")
    written = [path.resolve() for path in (args.out, args.csv) if path is not None]
    if args.video.resolve() in written or len(set(written)) < len(written):
        raise ConfigError("FILE, --out and --csv must be different files.")
    settings = replace(
        VIDEO_SETTINGS,
        overlay=args.overlay,
        half_life_s=args.half_life,
        search_every=args.search_every,
    )
    predictor = chosen_predictor(args)
    with tqdm(total=100, bar_format="{l_bar}{bar}| {elapsed}", disable=None) as bar:

        def show(_: FrameReading, share: float) -> None:
            bar.update(100 * share - bar.n)

        found = read_video(args.video, predictor, args.out, args.csv, settings, show)
    print(
        f"{args.video}: {found.frames} frames in {found.seconds:.1f} s, faces in "
        f"{found.with_faces} of them, at most {found.people} people."
    )
    if found.failed:
        print(f"{found.failed} frames could not be read. {found.problem}")
    for note in found.notes:
        print(note)
    print(NOTICE)
    return 0
