"""Reads FER2013 in the forms in which it can be downloaded, together with FER+'s votes.

Everything is checked once, here, so that later code can trust the prepared file. A wrong row is
rejected with a message that names it, since a data set that is silently a little wrong costs days.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fervt.data.csv_rows import bad_row, check_missing, csv_rows
from fervt.data.folders import (
    DRAWN_FROM_TRAIN,
    describe_left_out,
    fer2013_label,
    is_image,
    is_litter,
    split_of,
)
from fervt.data.huggingface import USAGES, as_ours
from fervt.data.parquet import BROKEN, check_size, open_parquet
from fervt.data.prepared import SIDE_PX, PreparedData, hash_pixels
from fervt.errors import DataError, ImageError
from fervt.images import read_image
from fervt.labels import FER2013, FER2013_TO_FERPLUS, FERPLUS, SPLITS, VOTE_NAMES
from fervt.progress import Progress, no_progress, track

VALIDATION_SHARE = 0.1
VALIDATION_SEED = 2013
MAX_IMAGE_BYTES = 1_000_000  # of a face in a table, on average
_FILE_NAME = re.compile(rf"({'|'.join(SPLITS)})_(\d{{1,18}})\.\w+", re.IGNORECASE)
# Images per class in FER2013's Training split; no two classes have the same size.
_TRAINING_COUNTS = (3995, 436, 4097, 7215, 4830, 3171, 4965)


class Source(NamedTuple):
    """The content of a source and the changes made to it, as sentences."""

    data: PreparedData
    notes: tuple[str, ...]


@dataclass
class _Rows:
    images: list[NDArray[np.uint8]]
    row: list[int]
    usage: list[str]
    label: list[int]
    votes: list[Any] | None
    split_rule: str
    numbered: bool = True
    adapted: int = 0
    left_out: str = ""


def read_source(
    path: str | Path, ferplus: str | Path | None = None, progress: Progress = no_progress
) -> Source:
    """Reads a data set in any of the supported forms.

    Args:
        path: Kaggle's `fer2013.csv` or `icml_face_data.csv`; Kaggle's folder of images
            (`train|test/<class>/`); or a Parquet file with the columns usage, emotion, image and,
            if there are votes, `votes_<name>`.
        ferplus: FER+'s `fer2013new.csv`: for a folder, joined by the number in the file names,
            otherwise by the order of the rows.
        progress: Called with the progress.

    Raises:
        DataError: Something in it is wrong; the message names the file and the row.
    """
    path = Path(path)
    if path.is_dir():
        rows = _read_folder(path, progress)
    elif not path.is_file():
        raise DataError(f"{path} does not exist.")
    elif path.suffix.lower() == ".parquet":
        rows = _read_parquet(path, progress)
    elif path.suffix.lower() == ".csv":
        rows = _read_csv(path, progress)
    else:
        raise DataError(f"{path} is neither a .csv file, a .parquet file nor a folder of images.")
    if not rows.images:
        raise DataError(f"{path} contains no images.")
    if ferplus is not None:
        rows.votes = _join_votes(path, rows, Path(ferplus))

    votes = np.zeros((len(rows.row), len(VOTE_NAMES))) if rows.votes is None else rows.votes
    data = PreparedData.from_rows(
        images=np.stack(rows.images),
        row=np.array(rows.row, np.int64),
        usage=np.array(rows.usage),
        label_fer2013=np.array(rows.label, np.int64),
        votes=np.asarray(votes, np.uint8),
        split_rule=rows.split_rule,
        source=path.resolve().name,
    )
    _check_class_order(data, path)
    adapted = f"{rows.adapted:,} images were in color or of another size and became 48x48 gray."
    return Source(data, tuple(filter(None, (rows.left_out, adapted if rows.adapted else ""))))


def _read_csv(path: Path, progress: Progress) -> _Rows:
    rows = _Rows([], [], [], [], None, f"Usage column of {path.name}")
    with path.open("rb") as file:
        line_count = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    lines = track(
        csv_rows(path, ("emotion", "pixels", "Usage")), line_count - 1, progress, "Reading"
    )
    for i, (emotion, pixels, usage) in enumerate(lines):
        values = pixels.split()
        if len(values) != SIDE_PX**2:
            raise bad_row(path, i, f"has {len(values)} pixels instead of {SIDE_PX**2}")
        try:
            image = np.frombuffer(bytes(map(int, values)), np.uint8)
        except ValueError as error:
            raise bad_row(path, i, "has a pixel that is not a whole number in 0..255") from error
        rows.images.append(image.reshape(SIDE_PX, SIDE_PX))
        rows.row.append(i)
        rows.usage.append(_check_usage(path, i, usage))
        rows.label.append(_check_label(path, i, emotion))
    return rows


def _read_parquet(path: Path, progress: Progress) -> _Rows:
    try:
        file = open_parquet(path)
        check_size(file, str(path), {"image": MAX_IMAGE_BYTES})
        table = file.read()
    except BROKEN as error:
        raise DataError(f"{path} cannot be read as a Parquet file.") from error
    table = as_ours(table, path)
    wanted = ["usage", "emotion", "image"]
    vote_columns = [f"votes_{name}" for name in VOTE_NAMES]
    if any(name in table.column_names for name in vote_columns):
        wanted += vote_columns
    check_missing(path, [name for name in wanted if name not in table.column_names])

    rows = _Rows([], [], [], [], None, f"usage column of {path.name}")
    columns = zip(*(table[name] for name in wanted[:3]), strict=True)
    for i, (usage, emotion, image) in enumerate(track(columns, len(table), progress, "Reading")):
        rows.usage.append(_check_usage(path, i, usage.as_py()))
        rows.label.append(_check_label(path, i, emotion.as_py()))
        encoded = image.as_py()
        if isinstance(encoded, dict):  # Hugging Face's image column
            encoded = encoded.get("bytes")
        if not isinstance(encoded, bytes):
            raise bad_row(path, i, "has no image: the column must contain the bytes of image files")
        pixels, adapted = _read_gray(encoded, f"row {i + 1}", path)
        rows.images.append(pixels)
        rows.row.append(i)
        rows.adapted += adapted
    if len(wanted) > 3:
        votes = zip(*(table[name].to_pylist() for name in vote_columns), strict=True)
        rows.votes = [_check_votes(path, i, row) for i, row in enumerate(votes)]
    return rows


def _read_folder(root: Path, progress: Progress) -> _Rows:
    others: list[str] = []
    files = sorted(_list_images(root, others), key=lambda item: item[2].as_posix())
    rows = _Rows([], [], [], [], None, "", left_out=describe_left_out(others))
    numbers: list[int] = []
    for split, label, file in track(files, len(files), progress, "Reading"):
        name = _FILE_NAME.fullmatch(file.name)
        if name is not None:
            stated = next(s for s in SPLITS if s.lower() == name[1].lower())
            if (stated == "Training") != (split == "Training"):
                raise DataError(f"{file} is named as {stated} but is not in that folder.")
            split = stated
            numbers.append(int(name[2]))
        pixels, adapted = _read_gray(file, file.name, file.parent)
        rows.images.append(pixels)
        rows.usage.append(split)
        rows.label.append(label)
        rows.adapted += adapted

    # If all names have numbers, the rows take the original file's order and positions.
    rows.numbered = len(numbers) == len(set(numbers)) == len(files)
    rows.row = numbers if rows.numbered else list(range(len(files)))
    order = np.argsort(np.array(rows.row, np.int64), kind="stable").tolist()
    for column in (rows.images, rows.row, rows.usage, rows.label):
        column[:] = [column[i] for i in order]

    rows.split_rule = "names of folders and files"
    if "PublicTest" not in rows.usage and "Training" in rows.usage:
        rows.split_rule = (
            f"{DRAWN_FROM_TRAIN}{VALIDATION_SHARE:.0%} of each class of train, "
            f"exact copies kept together, seed {VALIDATION_SEED}"
        )
        rows.usage = _hold_out_validation(rows)
    return rows


def _list_images(root: Path, others: list[str]) -> Iterator[tuple[str, int, Path]]:
    """Yields (split, label, file) for every image under a folder; adds other files to `others`."""
    top = _visible(root)
    if len(top) == 1 and top[0].is_dir() and not split_of(top[0].name):
        # Zip files often have one folder that contains the rest.
        yield from _list_images(top[0], others)
        return
    found = set()
    for split_folder in top:
        if not split_folder.is_dir():
            others.append(split_folder.name)
            continue
        split = USAGES.get(split_of(split_folder.name), "")
        if not split:
            raise DataError(
                f"{split_folder} is not expected: the folder {root} should contain train and test."
            )
        found.add(split)
        for class_folder in _visible(split_folder):
            if class_folder.is_file() and not is_image(class_folder.name):
                others.append(class_folder.name)
                continue
            label = fer2013_label(class_folder.name, split_folder.parts[::-1])
            if label < 0 or not class_folder.is_dir():
                raise DataError(
                    f"{class_folder} is not a folder of a FER2013 class "
                    f"({', '.join(FER2013.classes)})."
                )
            for file in _visible(class_folder):
                if is_image(file.name):
                    yield split, label, file
                else:
                    others.append(file.name)
    if "Training" not in found:
        raise DataError(f"{root} has no folder named train.")
    if len(found) < 2:
        raise DataError(f"{root} has no folder named test.")


def _visible(folder: Path) -> list[Path]:
    """A folder's content, without operating systems' metadata files."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}.") from error
    return [path for path in entries if not is_litter([path.name])]


def _hold_out_validation(rows: _Rows) -> list[str]:
    """Moves a share of each class of Training to PublicTest.

    Images are chosen by a hash of their pixels: the choice depends on neither file names nor a
    random number generator, and all copies of an image stay in one split.
    """
    hashes = [hash_pixels(image) for image in rows.images]
    drawn: set[str] = set()
    for label in range(len(FER2013)):
        in_class = zip(hashes, rows.usage, rows.label, strict=True)
        unique = {h for h, usage, own in in_class if usage == "Training" and own == label}
        size = max(1, round(VALIDATION_SHARE * len(unique))) if len(unique) > 1 else 0
        ranked = sorted(
            unique, key=lambda h: hashlib.sha256(f"{VALIDATION_SEED}{h}".encode()).digest()
        )
        drawn.update(ranked[:size])
    return [
        "PublicTest" if usage == "Training" and h in drawn else usage
        for h, usage in zip(hashes, rows.usage, strict=True)
    ]


def _read_gray(encoded: bytes | Path, name: str, place: Path) -> tuple[NDArray[np.uint8], bool]:
    """Reads an image as (48, 48) uint8 gray, and says whether its color or size was changed.

    Raises:
        DataError: It cannot be read; the message gives its place and name.
    """
    try:
        rgb = read_image(encoded, name)
    except ImageError as error:
        raise DataError(f"{place}: {error}") from error
    in_color = bool((rgb != rgb[..., :1]).any())
    if not in_color and rgb.shape[:2] == (SIDE_PX, SIDE_PX):
        return rgb[..., 0], False
    gray = Image.fromarray(rgb).convert("L")
    return np.asarray(gray.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)), True


def _join_votes(path: Path, rows: _Rows, ferplus: Path) -> list[Any]:
    """The votes of every row, by its position in the original file."""
    if not ferplus.is_file():
        raise DataError(f"{ferplus} does not exist.")
    if not rows.numbered:
        raise DataError(
            f"{ferplus} cannot be joined to {path}: not all of its images carry their own row "
            "number in their name, as in Training_00017.png."
        )
    usages, votes = [], []
    for i, (usage, *counts) in enumerate(csv_rows(ferplus, ("Usage", *VOTE_NAMES))):
        usages.append(_check_usage(ferplus, i, usage))
        votes.append(_check_votes(ferplus, i, counts))
    if not path.is_dir() and len(votes) != len(rows.row):
        raise DataError(
            f"{ferplus} has {len(votes):,} rows and {path} has {len(rows.row):,}: "
            "they must describe the same images in the same order."
        )
    if rows.row[-1] >= len(votes):
        raise DataError(
            f"{ferplus} has {len(votes):,} rows, so the image number {rows.row[-1]} of {path} "
            "is not one of them."
        )
    for i, usage in zip(rows.row, rows.usage, strict=True):
        if usages[i] != usage:
            raise bad_row(ferplus, i, f"is {usages[i]} but the same row of {path} is {usage}")
    return [votes[i] for i in rows.row]


def _check_usage(path: Path, i: int, usage: Any) -> str:
    known = USAGES.get(split_of(str(usage)))
    if known is None:
        raise bad_row(path, i, f"has Usage '{usage}', which is not one of {', '.join(SPLITS)}")
    return known


def _check_label(path: Path, i: int, emotion: Any) -> int:
    order = ", ".join(f"{k} {name}" for k, name in enumerate(FER2013.classes))
    try:
        # Parsed as text, so that 3.7 is not read as 3; columns with missing values contain 3.0.
        label = int(str(emotion).removesuffix(".0"))
    except ValueError:
        label = fer2013_label(str(emotion))
    if not 0 <= label < len(FER2013):
        raise bad_row(path, i, f"has emotion '{emotion}', which is not one of FER2013's ({order})")
    return label


def _check_votes(path: Path, i: int, counts: Any) -> list[int]:
    try:
        return list(bytes(int(str(count)) for count in counts))
    except ValueError as error:
        raise bad_row(path, i, "has a vote that is not a whole number in 0..255") from error


def _check_class_order(data: PreparedData, path: Path) -> None:
    """Rejects labels that number the classes in another order, as far as the data shows.

    There are two signs: the class sizes are FER2013's but belong to other numbers; or the FER+
    votes fit a permutation of the labels well, and much better than the labels themselves.
    """
    training = data.label_fer2013[data.usage == "Training"]
    counts = tuple(np.bincount(training, minlength=len(FER2013)).tolist())
    permuted = counts != _TRAINING_COUNTS and sorted(counts) == sorted(_TRAINING_COUNTS)

    voted = data.label_ferplus
    counterparts = [FERPLUS.classes.index(FER2013_TO_FERPLUS[name]) for name in FER2013.classes]
    agreement = np.array(
        [
            [np.sum((data.label_fer2013 == i) & (voted == j)) for j in counterparts]
            for i in range(len(FER2013))
        ]
    )
    support = agreement.sum(axis=1, keepdims=True)
    if support.min() >= 10:
        agreement = agreement / support
        orders = np.array(list(permutations(range(len(FER2013)))))
        best = agreement[np.arange(len(FER2013)), orders].mean(axis=1).max()
        permuted |= best > 0.5 and best - agreement.trace() / len(FER2013) > 0.1
    if permuted:
        raise DataError(
            f"{path} does not number its classes in FER2013's order "
            f"({', '.join(FER2013.classes)}); an alphabetical order is a common cause."
        )
