"""`fervt predict`: images to expressions, on the command line."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from fervt.amounts import percent
from fervt.checkpoint import find_checkpoint
from fervt.cli.extras import require_extra
from fervt.cli.model import add_model_options, chosen_predictor
from fervt.cli.outputs import refuse_overwriting
from fervt.cli.progress_bar import progress_bar
from fervt.data.folders import is_image
from fervt.errors import ConfigError, ImageError
from fervt.labels import NOTICE, expression
from fervt.pipeline import Named, begin, named_images, plan_chunks
from fervt.pipeline.cluster import run_on_ray
from fervt.pipeline.local import run_locally
from fervt.pipeline.run import check_form
from fervt.predict import Prediction, as_json

HELP = "predict the apparent expressions in images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE",
        help="image, folder or zip file of images, Parquet file with a column named image, or "
        "text file (.txt) with one path per line",
    )
    add_model_options(parser)
    parser.add_argument("--whole-image", action="store_true", help="treat each image as one face")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON list")
    form.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write a table with one row per face, .parquet or .csv, using all cores; after an "
        "interruption, the same command resumes",
    )
    form.add_argument("--csv", type=Path, metavar="FILE", help="like --out, always CSV")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="processes for a table (default: one per core)")
    where.add_argument(
        "--ray", metavar="ADDRESS", help="make the table on this Ray cluster; 'auto' finds one"
    )


def run(args: argparse.Namespace) -> int:
    """Predicts every readable image; reports others on stderr and returns 2 if there are any."""
    if args.out or args.csv:
        return _write_table(args)
    if args.workers is not None or args.ray:
        raise ConfigError("--workers and --ray are for tables: add --out FILE.")
    predictor = chosen_predictor(args)
    answers, left_out, code = [], list[str](), 0
    for name, read in _images_of(args.images, left_out):
        try:
            photo = read()
            image = photo.rgb
            found = predictor.predict_whole(image) if args.whole_image else predictor.predict(image)
        except ImageError as error:
            print(f"fervt: {error}", file=sys.stderr)
            code = 2
            continue
        height, width = image.shape[:2]
        answers.append(
            {
                "file": name,
                "width": width,
                "height": height,
                "note": photo.note,
                "faces": [as_json(p) for p in found],
            }
        )
        if photo.note:
            print(f"fervt: {photo.note}", file=sys.stderr)
        if not args.json:
            _print(name, found)
    for sentence in left_out:
        print(f"fervt: {sentence}", file=sys.stderr)
    if args.json:
        print(json.dumps(answers, indent=1))
    elif answers:
        print(NOTICE)
    return code


def _images_of(paths: list[Path], left_out: list[str]) -> Iterator[Named]:
    for chunk in list(plan_chunks(paths, left_out)):  # all: errors come before any output
        yield from named_images(chunk)


def _write_table(args: argparse.Namespace) -> int:
    out = args.out or args.csv
    as_csv = args.csv is not None or check_form(out)
    option = "--out" if args.csv is None else "--csv"
    refuse_overwriting(option, out, args.images)
    if is_image(out.name):  # a shell may have put the first of several images there
        raise ConfigError(f"{option}: {out} is an image's name, not a table's.")
    if args.workers is not None and args.workers < 1:
        raise ConfigError("--workers must be at least 1.")
    if args.ray:
        require_extra("cluster", "ray")
    checkpoint = find_checkpoint(args.checkpoint)
    predictor = chosen_predictor(args)
    with begin(out, args.images, predictor, args.whole_image, as_csv) as table:
        if table.done:
            print(
                f"fervt: resuming where the last run stopped: {table.done:,} of "
                f"{table.images:,} images are done.",
                file=sys.stderr,
            )
        with progress_bar(table.done / table.images) as report:
            if args.ray:
                run_on_ray(table, checkpoint, args.engine, args.ray, report)
            else:
                run_locally(table, predictor, checkpoint, args.workers, report)
        summary = table.finish()
    for sentence in [*summary.sentences, *table.left_out]:
        print(f"fervt: {sentence}", file=sys.stderr)
    if more := summary.noted - len(summary.sentences):
        print(f"fervt: {more:,} more have a message in the column status.", file=sys.stderr)
    print(f"{out}: {summary.faces:,} faces in {summary.images:,} images. {NOTICE}")
    return 2 if summary.unreadable else 0


def _print(name: str, found: list[Prediction]) -> None:
    if not found:
        print(f"{name}: no face found; --whole-image treats the image as one face")
    for prediction in found:
        ranked = prediction.probabilities.argsort()[::-1][:3]
        figures = ", ".join(
            f"{expression(prediction.classes[i]).name} {percent(prediction.probabilities[i])}"
            for i in ranked
        )
        print(f"{name}: face at {list(prediction.box_xyxy_px)}: {figures}")
