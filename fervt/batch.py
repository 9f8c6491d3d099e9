"""Many images to one table, in a job or on the command line."""

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervt.data.archive import MAX_IMAGES, ImageArchive
from fervt.errors import DataError, ImageError
from fervt.faces import whole_image_box
from fervt.images import read_image, safe_name
from fervt.predict import ROW_START, Predictor, as_row, cut_face
from fervt.progress import Progress

_BATCH = 64
_READING, _READING_AND_FINDING = 0.3, 0.8  # shares of the time, for the progress bar

Named = tuple[str, Callable[[], np.ndarray]]
"""What an image is called, and how it is read as (h, w, 3) uint8 RGB."""


@dataclass(frozen=True, eq=False)
class Answers:
    """The predictions for many images.

    Attributes:
        table: CSV with one row per face, see `predict.ROW_START`; an image without one has face 0.
        images: How many were read.
        faces: How many faces they have, by label.
        faceless: Names of the images in which no face was found.
        problems: One sentence for each image that could not be read.
    """

    table: str
    images: int
    faces: Counter[str]
    faceless: list[str]
    problems: list[str]


def predict_files(
    report: Progress, predictor: Predictor, files: Sequence[tuple[str, bytes]], whole_image: bool
) -> Answers:
    """Predicts images and zip files of images held in memory.

    Args:
        report: Told how far it is.
        predictor: The checkpoint.
        files: Names and contents.
        whole_image: Treat each image as one face instead of detecting faces.

    Raises:
        DataError: A zip file cannot be used, or there are no images.
    """
    report(0.0, "Reading the images")
    return predict_many(predictor, list_images(files), whole_image, report)


def list_images(files: Sequence[tuple[str, bytes]]) -> list[Named]:
    """The images among files and in zip files.

    Raises:
        DataError: A zip file cannot be used.
    """
    found: list[Named] = []
    for name, content in files:
        shown = safe_name(name)
        if shown.lower().endswith(".zip"):
            archive = ImageArchive(content, name)
            prefix = f"{shown}/" if len(files) > 1 else ""
            found += [(f"{prefix}{m.name}", partial(archive.read, m)) for m in archive.members]
        else:
            found.append((shown, partial(read_image, content, name)))
    return found


def predict_many(
    predictor: Predictor, images: Sequence[Named], whole_image: bool, report: Progress
) -> Answers:
    """Answers many images, one read at a time; faces go through the model in batches.

    Raises:
        DataError: There are no images, or too many.
    """
    if not images:
        raise DataError("There are no images to predict.")
    if len(images) > MAX_IMAGES:
        raise DataError(f"{len(images):,} images are too many; up to {MAX_IMAGES:,} can be read.")
    reading = _READING if whole_image else _READING_AND_FINDING
    places: list[tuple[str, int, Any]] = []
    faces: list[NDArray[np.uint8]] = []
    problems: list[str] = []
    for done, (name, read) in enumerate(images, 1):
        try:
            image = read()
            boxes = (
                [whole_image_box(image)]
                if whole_image
                else [face.box_xyxy_px for face in predictor.find_faces(image)]
            )
            cut = [cut_face(image, box) for box in boxes]
        except ImageError as error:
            problems.append(str(error))
        else:
            faces += cut
            places += [(name, number, box) for number, box in enumerate(boxes, 1)] or [
                (name, 0, None)
            ]
        report(reading * done / len(images), f"Image {done:,} of {len(images):,}")
    probabilities: list[NDArray[np.float32]] = []
    for start in range(0, len(faces), _BATCH):
        readings = predictor.classify(np.stack(faces[start : start + _BATCH]))
        probabilities += [reading.probabilities for reading in readings]
        done = len(probabilities)
        report(reading + (1 - reading) * done / len(faces), f"Face {done:,} of {len(faces):,}")
    classes = predictor.classes.classes
    return Answers(
        _write_table(places, probabilities, classes),
        len(images) - len(problems),
        Counter(classes[int(p.argmax())] for p in probabilities),
        [name for name, number, _ in places if not number],
        problems,
    )


def _write_table(
    places: Sequence[tuple[str, int, Any]],
    probabilities: Sequence[NDArray[np.float32]],
    classes: Sequence[str],
) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([*ROW_START, *classes])
    answers = iter(probabilities)
    for name, number, box in places:
        if number:
            writer.writerow(as_row(name, number, box, next(answers), classes))
        else:
            nothing = as_row(name, 0, (0, 0, 0, 0), np.zeros(len(classes), np.float32), classes)
            writer.writerow([*nothing[:2], *[""] * (len(nothing) - 2)])
    return text.getvalue()
