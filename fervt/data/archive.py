"""Zip files of images from users: inspected before anything is unpacked.

Nothing is ever unpacked to the disk, so the names in an archive lead nowhere, and one image at a
time is held in memory. What an archive claims to hold is judged before it is read, since a small
file can ask for gigabytes.
"""

import unicodedata
import zipfile
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from fervt.errors import DataError, ImageError
from fervt.images import FORMATS, read_image, safe_name
from fervt.labels import FER2013, FERPLUS, expression

MAX_IMAGES = 20_000
MAX_IMAGE_BYTES = 40_000_000
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_LISTING_BYTES = 16_000_000

IMAGE_SUFFIXES = tuple(f".{name.lower()}" for name in (*FORMATS, "jpg", "tif"))

# A class folder may be named as in FER2013, as in FER+, or as people say it: Sad, sadness, ...
_LABELS = {
    alias.lower(): i
    for i, own in enumerate(FERPLUS.classes)
    for name in (*FER2013.classes, *FERPLUS.classes)
    if expression(name) is expression(own)
    for alias in (name, expression(name).name)
}
_SPLITS = {
    alias: split
    for split, aliases in {
        "train": ("train", "training"),
        "validation": ("val", "valid", "validation", "publictest"),
        "test": ("test", "testing", "privatetest"),
    }.items()
    for alias in aliases
}
_LITTER = {"thumbs.db", "desktop.ini", "__macosx"}
_END, _END_64 = b"PK\5\6", b"PK\6\7"  # of an archive, and of one beyond 4 GB or 65,535 files


@dataclass(frozen=True)
class Member:
    """One image in an archive.

    Attributes:
        name: Its path in the archive, safe to show.
        label: Index in FER+'s classes, which have all of FER2013's, of the nearest folder that is
            named as one; -1 = none.
        split: "train", "validation" or "test" where a folder above it is named so; "" = none.
        position: In the archive's list of files.
    """

    name: str
    label: int
    split: str
    position: int


class ImageArchive:
    """A zip file's images.

    Attributes:
        name: What people call it, safe to show.
        members: Its images, by name.
        others: How many of its files are none.
    """

    def __init__(self, content: bytes, name: str) -> None:
        """Looks through an archive.

        Raises:
            DataError: It is no zip file, is encrypted, or holds more than may be unpacked.
        """
        self.name = safe_name(name)
        try:
            _check_listing(content, self.name)
            self._zip = zipfile.ZipFile(BytesIO(content))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise DataError(f"'{self.name}' is no zip file that can be read.") from error
        self._infos = self._zip.infolist()
        files = [
            (at, info)
            for at, info in enumerate(self._infos)
            if info.filename and not info.is_dir() and not _is_litter(info.filename)
        ]
        found = [(at, info) for at, info in files if info.filename.lower().endswith(IMAGE_SUFFIXES)]
        images = [info for _, info in found]
        self.others = len(files) - len(images)
        if any(info.flag_bits & 1 for info in images):
            raise DataError(f"'{self.name}' is encrypted; only open zip files can be read.")
        if len(images) > MAX_IMAGES:
            raise DataError(
                f"'{self.name}' holds {len(images):,} images; up to {MAX_IMAGES:,} can be read."
            )
        if sum(info.file_size for info in images) > MAX_UNPACKED_BYTES:
            raise DataError(
                f"'{self.name}' would unpack to more than {MAX_UNPACKED_BYTES / 1e9:g} GB."
            )
        members = [_describe(info.filename, at) for at, info in found]
        self.members = tuple(sorted(members, key=lambda member: member.name))

    def labeled(self, split: str | None = None) -> list[Member]:
        """The images below a folder that is named as a class; None takes all splits."""
        return [m for m in self.members if m.label >= 0 and split in (None, m.split)]

    def read(self, member: Member) -> np.ndarray:
        """Decodes one image, (height, width, 3) uint8 RGB.

        Raises:
            ImageError: It is too large, damaged or not an image.
        """
        info = self._infos[member.position]
        if info.file_size > MAX_IMAGE_BYTES:
            raise ImageError(f"'{member.name}' is over {MAX_IMAGE_BYTES / 1e6:g} MB.")
        try:
            content = self._zip.read(info)  # never more than the size that it claims
        except Exception as error:  # each way of compressing has its own errors
            raise ImageError(f"'{member.name}' is damaged in the archive.") from error
        return read_image(content, member.name)


def _check_listing(content: bytes, name: str) -> None:
    """Rejects an archive whose file list alone would fill the memory."""
    tail = content[-70_000:]
    at = tail.rfind(_END)
    listing_bytes = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    if listing_bytes > MAX_LISTING_BYTES or _END_64 in tail[max(0, at - 20) : max(0, at)]:
        raise DataError(f"'{name}' holds too many files to be looked through.")


def _is_litter(path: str) -> bool:
    return any(part.startswith(".") or part.lower() in _LITTER for part in _parts(path))


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _describe(path: str, position: int) -> Member:
    parts = _parts(path)
    folders = [part.strip().lower() for part in parts[-2::-1]]  # the nearest first
    label = next((_LABELS[folder] for folder in folders if folder in _LABELS), -1)
    split = next((_SPLITS[folder] for folder in folders if folder in _SPLITS), "")
    shown = "".join(c for c in "/".join(parts) if unicodedata.category(c)[0] != "C")
    name = shown if len(shown) <= 200 else f"{shown[:100]}…{shown[-99:]}"
    return Member(name, label, split, position)
