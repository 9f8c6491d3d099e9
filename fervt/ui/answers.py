"""A checkpoint's predictions for an image, computed once per session and shared by the pages."""

import json
from collections.abc import Sequence
from typing import Any

from fervt.predict import Prediction, Predictor, as_json
from fervt.table import FOUND, NO_FACE, Row, write_table
from fervt.ui.certainty import say
from fervt.ui.downloads import offer_file
from fervt.ui.images import Picture
from fervt.ui.remembered import remember

_MAX_CROPS_BYTES = 10_000_000  # of one image's faces; more are cut out again on each run


def predict_faces(
    predictor: Predictor, picture: Picture, whole_image: bool = False
) -> list[Prediction]:
    """The faces of an image, the largest first; the whole image as one face on request."""

    def compute() -> list[Prediction]:
        image = picture.rgb
        return predictor.predict_whole(image) if whole_image else predictor.predict(image)

    def is_small(predictions: list[Prediction]) -> bool:
        return sum(prediction.crop.nbytes for prediction in predictions) <= _MAX_CROPS_BYTES

    what = "whole" if whole_image else "faces"
    return remember(predictor, picture.key, what, compute, is_small)


def summarize(predictor: Predictor, predictions: Sequence[Prediction]) -> str:
    """A short label for an image: its largest face's answer, and the number of other faces."""
    if not predictions:
        return "No face found"
    more = f" +{len(predictions) - 1}" if len(predictions) > 1 else ""
    return f"{say(predictor, predictions[0])}{more}"


def show_downloads(
    predictor: Predictor, answers: Sequence[tuple[Picture, Sequence[Prediction]]]
) -> None:
    """Draws the buttons that download the predictions for all images."""
    about = "Box and probabilities of every face in your images."
    offer_file("CSV", lambda: answers_as_csv(answers), "expressions.csv", "text/csv", help=about)
    offer_file(
        "JSON",
        lambda: answers_as_json(predictor, answers),
        "expressions.json",
        "application/json",
        help=about,
    )


def answers_as_json(
    predictor: Predictor, answers: Sequence[tuple[Picture, Sequence[Prediction]]]
) -> str:
    """What `fervt predict --json` prints for the same images, with the checkpoint's name."""
    rows: list[dict[str, Any]] = []
    for picture, predictions in answers:
        rows.append(
            {
                "file": picture.name,
                "width": picture.width_px,
                "height": picture.height_px,
                "note": picture.note,
                "checkpoint": predictor.name,
                "faces": [as_json(prediction) for prediction in predictions],
            }
        )
    return json.dumps(rows, indent=1)


def answers_as_csv(answers: Sequence[tuple[Picture, Sequence[Prediction]]]) -> str:
    """One row per face, and one for each image without a face: see `fervt.table`."""
    rows = []
    for picture, faces in answers:
        status = picture.note or (FOUND if faces else NO_FACE)
        rows += [
            Row(picture.name, status, number, f.box_xyxy_px, f.angle_deg, f.probabilities)
            for number, f in enumerate(faces, 1)
        ] or [Row(picture.name, status, 0)]
    return write_table(rows, next((faces[0].classes for _, faces in answers if faces), ()))
