"""From an image to its rows, in the same way for a chunk of a million and a few uploads."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from fervt.data.archive import ImageArchive
from fervt.errors import ImageError
from fervt.faces import FoundFace, whole_image_box
from fervt.images import Photo, read_photo
from fervt.pipeline.parquet_rows import read_parquet
from fervt.pipeline.plan import Chunk, open_zip, printable
from fervt.predict import Predictor, cut_face
from fervt.table import FOUND, NO_FACE, Row

Named = tuple[str, Callable[[], Photo]]
"""An image's name, and how it is read."""

Faces = list[NDArray[np.uint8]]
"""Gray faces (48, 48), as `Predictor.classify` takes them."""


def named_images(chunk: Chunk, base: str = "") -> Iterator[Named]:
    """Opens a chunk; its images are read one at a time.

    Args:
        chunk: What to read.
        base: The folder that relative paths start from; "" is the current one.

    Raises:
        DataError: Its Parquet or zip file cannot be read.
    """
    place = os.path.join(base, chunk.place)
    if chunk.kind == "files":
        for encoded in chunk.names:
            path = os.fsdecode(encoded)
            name = printable(path)
            yield name, partial(read_photo, os.path.join(base, path), name)
    elif chunk.kind == "zip":
        archive = _keep_open(place)
        for member in archive.members[chunk.start : chunk.stop]:
            yield f"{printable(chunk.place)}/{member.name}", partial(archive.read_photo, member)
    else:
        rows = read_parquet(place, chunk.start, chunk.stop)
        for row, content in enumerate(rows, chunk.start):
            name = f"{printable(chunk.place)}#{row}"
            yield name, partial(_read_cell, content, name)


def look_at(predictor: Predictor, image: Named, whole_image: bool) -> tuple[list[Row], Faces]:
    """Reads an image and finds its faces.

    Args:
        predictor: The checkpoint.
        image: The image.
        whole_image: Take it as one face.

    Returns:
        Its rows, at least one, still without probabilities; and a gray face for each row that is to
        have them.
    """
    name, read = image
    try:
        photo = read()
        found = (
            [FoundFace(whole_image_box(photo.rgb), 1.0)]
            if whole_image
            else predictor.find_faces(photo.rgb)
        )
        faces = [cut_face(photo.rgb, face.box_xyxy_px, face.angle_deg) for face in found]
    except ImageError as error:
        return [Row(name, str(error))], []
    status = photo.note or (FOUND if found else NO_FACE)
    rows = [
        Row(name, status, number, face.box_xyxy_px, face.angle_deg)
        for number, face in enumerate(found, 1)
    ]
    return rows or [Row(name, status, 0)], faces


def answer(rows: Sequence[Row], probabilities: Sequence[NDArray[np.float32]]) -> list[Row]:
    """The rows with the probabilities of their faces, in order."""
    answers = iter(probabilities)
    return [replace(row, probabilities=next(answers)) if row.number else row for row in rows]


def answer_chunk(
    predictor: Predictor,
    chunk: Chunk,
    whole_image: bool,
    base: str = "",
    check: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Reads a chunk, finds its faces and classifies them.

    Args:
        predictor: The checkpoint.
        chunk: The images.
        whole_image: Take each as one face.
        base: The folder that relative paths start from.
        check: Called before each image; may raise to stop.
    """
    rows: list[Row] = []
    faces: Faces = []
    for image in named_images(chunk, base):
        check()
        found, cut = look_at(predictor, image, whole_image)
        rows += found
        faces += cut
    readings = predictor.classify(np.stack(faces)) if faces else []
    return answer(rows, [reading.probabilities for reading in readings])


def _read_cell(content: bytes | None, name: str) -> Photo:
    if content is None:
        raise ImageError(f"'{name}' contains no image.")
    return read_photo(content, name)


@lru_cache(maxsize=1)  # the chunks of an archive follow one another
def _keep_open(place: str) -> ImageArchive:
    return open_zip(place)
