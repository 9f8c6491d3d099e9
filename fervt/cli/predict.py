"""`fervt predict`: images to expressions, on the command line."""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from tqdm import tqdm

from fervt.batch import Named, list_images, predict_many
from fervt.cli.model import add_model_options, chosen_predictor
from fervt.data import folders
from fervt.errors import DataError, ImageError
from fervt.files import write_aside
from fervt.images import read_photo
from fervt.labels import NOTICE, expression
from fervt.predict import Prediction, Predictor, as_json

HELP = "predict the apparent expressions in images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="image, folder of images, or zip file"
    )
    add_model_options(parser)
    parser.add_argument("--whole-image", action="store_true", help="take each image as one face")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON list")
    form.add_argument("--csv", type=Path, metavar="FILE", help="write a table with a row a face")


def run(args: argparse.Namespace) -> int:
    """Predicts every readable image, reports the others on stderr; returns 2 if there were any."""
    predictor = chosen_predictor(args)
    images: list[Named] = []
    left_out: list[str] = []
    for path in args.images:
        found_here, said = _images_of(path)
        images += found_here
        left_out += said
    if args.csv:
        return _write_table(predictor, images, args.whole_image, args.csv, left_out)
    for sentence in left_out:
        print(f"fervt: {sentence}", file=sys.stderr)
    answers, code = [], 0
    for name, read in images:
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
    if args.json:
        print(json.dumps(answers, indent=1))
    elif answers:
        print(NOTICE)
    return code


def _images_of(path: Path) -> tuple[list[Named], list[str]]:
    """The images that a path stands for, and sentences about what is none there.

    Raises:
        DataError: It is a folder or a zip file without images, or a zip file that cannot be used.
    """
    found, left_out = _find_images(path)
    said = [_printable(sentence) for sentence in left_out]
    if not found:
        raise DataError(" ".join([f"'{_printable(str(path))}' holds no images.", *said]))
    return [(_printable(name), read) for name, read in found], said


def _find_images(path: Path) -> tuple[list[Named], list[str]]:
    if path.is_dir():
        images, others = folders.list_images(path)
        said = folders.describe_left_out([p.name for p in others])
        found: list[Named] = [(str(p), partial(read_photo, p, str(p))) for p in images]
        return found, [said] if said else []
    if path.suffix.lower() == ".zip" and path.is_file():
        inside, left_out = list_images([(path.name, path.read_bytes())])
        return [(f"{path}/{name}", read) for name, read in inside], left_out
    return [(str(path), partial(read_photo, path, str(path)))], []


def _printable(name: str) -> str:
    """A file name may contain undecodable bytes, which could not be printed or written."""
    return name.encode(errors="replace").decode()


def _write_table(
    predictor: Predictor,
    images: list[Named],
    whole_image: bool,
    out: Path,
    left_out: list[str],
) -> int:
    with tqdm(total=100, unit="%", disable=None) as bar:

        def report(share: float, doing: str) -> None:
            bar.set_description(doing, refresh=False)
            bar.update(int(100 * share) - bar.n)

        answers = predict_many(predictor, images, whole_image, report, left_out)
    try:
        with write_aside(out) as aside:
            aside.write_text(answers.table, encoding="utf-8", newline="")
    except OSError as error:
        raise DataError(f"'{out}' cannot be written: {error.strerror}.") from error
    for problem in [*answers.problems, *answers.notes]:
        print(f"fervt: {problem}", file=sys.stderr)
    print(f"{out}: {sum(answers.faces.values()):,} faces in {answers.images:,} images. {NOTICE}")
    return 2 if answers.problems else 0


def _print(name: str, found: list[Prediction]) -> None:
    if not found:
        print(f"{name}: no face found; --whole-image takes the image as one face")
    for prediction in found:
        ranked = prediction.probabilities.argsort()[::-1][:3]
        figures = ", ".join(
            f"{expression(prediction.classes[i]).name} {100 * prediction.probabilities[i]:.0f}%"
            for i in ranked
        )
        print(f"{name}: face at {list(prediction.box_xyxy_px)}: {figures}")
