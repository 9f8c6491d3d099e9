"""`fervt explain`: why a face got its prediction, as a page, pictures and arrays."""

import argparse
from pathlib import Path

from fervt.amounts import percent
from fervt.cli.model import add_model_options, chosen_predictor
from fervt.cli.outputs import refuse_overwriting
from fervt.errors import ImageError
from fervt.explain import SOURCES, Target, explain_face
from fervt.images import read_image, safe_name
from fervt.labels import NOTICE
from fervt.predict import to_face
from fervt.reports.explanation import PICTURES, Photo, bundle_files, write_bundle

HELP = "explain the prediction for the largest face of an image"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    add_model_options(parser)
    parser.add_argument("--target", help="class to explain; the predicted one by default")
    parser.add_argument("--against", help="class to contrast it with")
    parser.add_argument("--face", type=int, default=1, help="1 is the largest face")
    parser.add_argument("--whole-image", action="store_true", help="treat the image as one face")


def run(args: argparse.Namespace) -> int:
    """Explains one face and prints where the files are."""
    for name in PICTURES:
        refuse_overwriting("--out", args.out / name, [args.image])
    predictor = chosen_predictor(args)
    image = read_image(args.image, str(args.image))
    faces = predictor.predict_whole(image) if args.whole_image else predictor.predict(image)
    if not faces:
        raise ImageError(
            f"No face was found in '{args.image}'; --whole-image treats the image as one face."
        )
    if not 1 <= args.face <= len(faces):
        raise ImageError(f"'{args.image}' has {len(faces)} faces, there is no number {args.face}.")
    face = faces[args.face - 1]
    target = Target.named(predictor.classes, args.target or face.label, args.against)
    explanation = explain_face(predictor, to_face(face.crop))
    photo = Photo(image, safe_name(args.image.name), face.box_xyxy_px, face.angle_deg)
    write_bundle(args.out, bundle_files(predictor, explanation, target, face.crop, photo))
    answer = f"{percent(face.confidence)} {face.label}"
    print(f"{args.image}: {target.describe(predictor.classes)}, {answer}")
    for key, values in explanation.maps(target).items():
        row, column = divmod(int(values.argmax()), values.shape[1])
        print(f"{SOURCES[key].title:>14}: strongest at row {row}, column {column}")
    print(f"Open {args.out / 'explanation.html'}. {NOTICE}")
    return 0
