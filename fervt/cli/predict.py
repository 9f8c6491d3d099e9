"""`fervt predict`: images to expressions, on the command line."""

import argparse
import json
import sys
from pathlib import Path

from fervt.checkpoint import find_checkpoint
from fervt.errors import ImageError
from fervt.images import read_image
from fervt.labels import NOTICE, expression
from fervt.predict import Prediction, Predictor, as_json

HELP = "predict the apparent expressions in images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    parser.add_argument("--checkpoint", help="name or file; the flagship by default")
    parser.add_argument("--whole-image", action="store_true", help="take each image as one face")
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args: argparse.Namespace) -> int:
    """Answers every good image, names every bad one on stderr; 2 if there was a bad one."""
    predictor = Predictor(find_checkpoint(args.checkpoint))
    answers, code = [], 0
    for path in args.images:
        try:
            image = read_image(path, str(path))
            found = predictor.predict_whole(image) if args.whole_image else predictor.predict(image)
        except ImageError as error:
            print(f"fervt: {error}", file=sys.stderr)
            code = 2
            continue
        height, width = image.shape[:2]
        answers.append(
            {
                "file": str(path),
                "width": width,
                "height": height,
                "faces": [as_json(p) for p in found],
            }
        )
        if not args.json:
            _print(path, found)
    if args.json:
        print(json.dumps(answers, indent=1))
    elif answers:
        print(NOTICE)
    return code


def _print(path: Path, found: list[Prediction]) -> None:
    if not found:
        print(f"{path}: no face found; --whole-image takes the image as one face")
    for prediction in found:
        ranked = prediction.probabilities.argsort()[::-1][:3]
        figures = ", ".join(
            f"{expression(prediction.classes[i]).name} {100 * prediction.probabilities[i]:.0f}%"
            for i in ranked
        )
        print(f"{path}: face at {list(prediction.box_xyxy_px)}: {figures}")
