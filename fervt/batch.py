"""Uploaded images to one table, in memory; for more images use `fervt.pipeline`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fervt.data.archive import MAX_IMAGES, ImageArchive
from fervt.data.transforms import FACE_SIZE
from fervt.errors import DataError
from fervt.images import read_photo, safe_name
from fervt.pipeline import Named, answer, look_at
from fervt.predict import Predictor
from fervt.progress import Progress
from fervt.table import FOUND, NO_FACE, Row, write_table
from fervt.threads import MOST_PHOTOS, map_in_order

KEPT_CROPS = 2000  # of 2 kB each
_BATCH = 64
_READING, _READING_AND_FINDING = 0.3, 0.8  # shares of the time, for the progress bar


@dataclass(frozen=True, eq=False)
class Answers:
    """The predictions for many images.

    Attributes:
        table: CSV with one row per face, see `fervt.table`. An image without a face has a
            row with face 0, one that could not be read a row that says why.
        images: How many were read.
        faces: How many faces they have, by label.
        faceless: Names of the images in which no face was found.
        problems: One sentence for each image that could not be read.
        notes: One sentence for each truncated image, and for files that were left out.
        checkpoint: Name and SHA-256 of the checkpoint that answered.
        crops: (F, 48, 48) uint8, the first `KEPT_CROPS` faces as the model saw them, in the order
            of the table's rows.
    """

    table: str
    images: int
    faces: Counter[str]
    faceless: list[str]
    problems: list[str]
    notes: list[str]
    checkpoint: tuple[str, str]
    crops: NDArray[np.uint8]


def predict_files(
    report: Progress, predictor: Predictor, files: Sequence[tuple[str, bytes]], whole_image: bool
) -> Answers:
    """Predicts images and zip files of images held in memory.

    Args:
        report: Called with the progress.
        predictor: The checkpoint.
        files: Names and contents.
        whole_image: Treat each image as one face instead of detecting faces.

    Raises:
        DataError: A zip file cannot be used; there are no images, or too many.
    """
    report(0.0, "Reading the images")
    images, left_out = _list_images(files)
    if not images:
        raise DataError("There are no images to predict.")
    if len(images) > MAX_IMAGES:
        raise DataError(f"{len(images):,} images are too many; up to {MAX_IMAGES:,} can be read.")
    reading = _READING if whole_image else _READING_AND_FINDING
    rows: list[Row] = []
    faces: list[NDArray[np.uint8]] = []
    looked = map_in_order(lambda image: look_at(predictor, image, whole_image), images, MOST_PHOTOS)
    for done, (found, cut) in enumerate(looked, 1):
        rows += found
        faces += cut
        report(reading * done / len(images), f"Image {done:,} of {len(images):,}")
    probabilities: list[NDArray[np.float32]] = []
    for start in range(0, len(faces), _BATCH):
        readings = predictor.classify(np.stack(faces[start : start + _BATCH]))
        probabilities += [reading.probabilities for reading in readings]
        done = len(probabilities)
        report(reading + (1 - reading) * done / len(faces), f"Face {done:,} of {len(faces):,}")
    classes = predictor.classes.classes
    rows = answer(rows, probabilities)
    problems = [row.status for row in rows if row.number is None]
    notes = [r.status for r in rows if r.number in (0, 1) and r.status not in (FOUND, NO_FACE)]
    return Answers(
        write_table(rows, classes),
        len(images) - len(problems),
        Counter(classes[int(p.argmax())] for p in probabilities),
        [row.file for row in rows if row.number == 0],
        problems,
        [*notes, *left_out],
        (predictor.name, predictor.sha256),
        np.array(faces[:KEPT_CROPS], np.uint8).reshape(-1, FACE_SIZE, FACE_SIZE),
    )


def _list_images(files: Sequence[tuple[str, bytes]]) -> tuple[list[Named], list[str]]:
    """The images among files and in zip files, and sentences about what was left out.

    Raises:
        DataError: A zip file cannot be used.
    """
    found: list[Named] = []
    left_out: list[str] = []
    for name, content in files:
        shown = safe_name(name)
        if shown.lower().endswith(".zip"):
            archive = ImageArchive(content, name)
            prefix = f"{shown}/" if len(files) > 1 else ""
            read = archive.read_photo
            found += [(f"{prefix}{m.name}", partial(read, m)) for m in archive.members]
            left_out += [f"'{shown}': {archive.left_out}"] if archive.left_out else []
        else:
            found.append((shown, partial(read_photo, content, name)))
    return found, left_out
