"""What the names of folders and files mean, in folders, zip files and data sets."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from fervt.errors import DataError
from fervt.images import IMAGE_SUFFIXES, safe_name
from fervt.labels import FER2013, FER2013_TO_FERPLUS, FERPLUS, expression

DRAWN_FROM_TRAIN = "names of folders; PublicTest is "
"""How a split rule begins if PublicTest was drawn from train; FER2013's own is then in test."""

_MOST_KINDS = 6  # named in a sentence
_NUMBER_BEFORE = re.compile(r"^[0-9]{1,2}[ ._-]+(?=[a-z])")
_LITTER = {"thumbs.db", "desktop.ini", "__macosx"}
_SPLITS = {
    alias: split
    for split, aliases in {
        "train": ("train", "training", "fer2013train"),
        "validation": ("val", "valid", "validation", "publictest", "fer2013valid"),
        "test": ("test", "testing", "privatetest", "fer2013test"),
    }.items()
    for alias in aliases
}
# A class folder may be named as in FER2013, as in FER+, or in other words: Sad, sadness, ...
_CLASSES = {
    alias.lower(): own
    for own in FERPLUS.classes
    for name in (*FER2013.classes, *FERPLUS.classes)
    if expression(name) is expression(own)
    for alias in (name, expression(name).name)
}
# Data sets that number their classes, by their names without punctuation.
_NUMBERED = {
    "rafdb": dict(
        enumerate(("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"), start=1)
    ),
    "ferplus": dict(enumerate(FERPLUS.classes)),
    "fer2013": dict(enumerate(FER2013.classes)),
}


def split_of(folder: str) -> str:
    """The split that a folder's name stands for: "train", "validation", "test", or "" for none."""
    return _SPLITS.get(folder.strip().lower(), "")


def label_of(folder: str, above: Sequence[str] = ()) -> int:
    """Index in FER+'s classes, which include FER2013's; -1 = none.

    Args:
        folder: The folder's name: a class, possibly preceded by its number, as in `3_happy`; or a
            number alone, if a data set defines its meaning.
        above: Names that may name a data set, the nearest folder first: RAF-DB, FER2013 and FER+
            number their classes.
    """
    name = _NUMBER_BEFORE.sub("", folder.strip().lower())
    if re.fullmatch("[0-9]{1,2}", name):
        name = next(filter(None, map(_numbered, above)), {}).get(int(name), "")
    own = _CLASSES.get(name)
    return -1 if own is None else FERPLUS.classes.index(own)


def _numbered(dataset: str) -> dict[int, str]:
    """What the numbers mean in the data set with this name; empty for other names."""
    known = re.sub(r"fer(2013)?\+", "ferplus", re.sub(r"[^a-z0-9+]", "", dataset.lower()))
    known = known.replace("fer2013plus", "ferplus")
    return next((order for key, order in _NUMBERED.items() if key in known), {})


def fer2013_label(name: str, above: Sequence[str] = ()) -> int:
    """Like `label_of`, but in FER2013's classes."""
    own = label_of(name, above)
    plus = {v: k for k, v in FER2013_TO_FERPLUS.items()}
    ours = plus.get(FERPLUS.classes[own]) if own >= 0 else None
    return -1 if ours is None else FER2013.classes.index(ours)


def is_litter(parts: Iterable[str]) -> bool:
    """Whether a path is an operating system's metadata or a hidden file."""
    return any(part.startswith(".") or part.lower() in _LITTER for part in parts)


def walk(folder: str | os.PathLike[str], links: list[str] | None = None) -> Iterator[str]:
    """Yields a folder's files, by name, without hidden ones; links to folders are not followed.

    Only one folder's names are held at a time, so a million files need no more memory than a few.

    Args:
        folder: The folder.
        links: Takes the links to folders, if it is given.

    Raises:
        DataError: A folder cannot be read.
    """
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"'{os.fspath(folder)}' cannot be read: {error.strerror}.") from error
    for entry in entries:
        if is_litter([entry.name]):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from walk(entry.path, links)
        elif entry.is_file():
            yield entry.path
        elif links is not None and entry.is_dir():
            links.append(entry.path)


def is_image(name: str) -> bool:
    """Whether a file name has an image's extension."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def list_images(folder: Path) -> tuple[list[Path], list[Path]]:
    """A folder's images and its other files, by name, without hidden ones."""
    files = list(walk(folder))
    images = [Path(file) for file in files if is_image(file)]
    return images, [Path(file) for file in files if not is_image(file)]


def describe_left_out(names: Sequence[str]) -> str:
    """Lists the files that are not read as images, as in "Left out: 2 files (1 .zip, 1 .txt)".

    Args:
        names: Of the files; "" is returned if there are none.
    """
    return describe_kinds(Counter(PurePosixPath(name).suffix.lower() for name in names))


def describe_kinds(counts: Counter[str]) -> str:
    """Like `describe_left_out`, from counts by extension; "" means no extension."""
    total = counts.total()
    if not total:
        return ""
    ranked = [(kind or "without an extension", count) for kind, count in counts.most_common()]
    listed = ", ".join(f"{count:,} {safe_name(kind)}" for kind, count in ranked[:_MOST_KINDS])
    listed += ", and others" if len(ranked) > _MOST_KINDS else ""
    return f"Left out: {total:,} file{'s' * (total != 1)} ({listed})."
