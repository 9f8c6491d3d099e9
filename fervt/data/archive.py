"""Zip files of images from users: inspected before anything is unpacked.

Nothing is ever unpacked to disk, so the paths in an archive are harmless, and only one image at a
time is held in memory. The sizes that an archive declares are checked before it is read: a small
file can declare gigabytes.
"""

import os
import unicodedata
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from fervt.data.folders import describe_left_out, is_litter, label_of, split_of
from fervt.data.zip_names import read_names
from fervt.errors import DataError, ImageError
from fervt.images import IMAGE_SUFFIXES, Photo, read_photo, safe_name

MAX_IMAGES = 20_000
MAX_IMAGE_BYTES = 40_000_000
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_LISTING_BYTES = 16_000_000
_CHUNK_BYTES = 1 << 18
_TAIL_BYTES = 70_000  # hold the last record, whose comment has 64 KB at most

# Compression whose output can be limited; bzip2 and LZMA unpack everything at once.
_BOUNDED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# The records at an archive's end: the usual one, and those before it beyond 4 GB or 65,535
# files.
_END, _END_64, _WHERE_64 = b"PK\5\6", b"PK\6\6", b"PK\6\7"


@dataclass(frozen=True)
class Member:
    """One image in an archive.

    Attributes:
        name: Its path in the archive, safe to show.
        label: Index in FER+'s classes, which include FER2013's, from the nearest folder named after
            one; -1 = none.
        split: "train", "validation" or "test" if a folder above it has that name; "" = none.
        position: Index in the archive's list of files.
    """

    name: str
    label: int
    split: str
    position: int


class ImageArchive:
    """A zip file's images.

    Attributes:
        name: Its display name, safe to show.
        members: Its images, by name.
        left_out: A sentence on the files that are not images; "" if all are images.
    """

    def __init__(self, source: bytes | Path, name: str) -> None:
        """Inspects an archive.

        Args:
            source: Its content, or a file, of which only what is asked for is read.
            name: Its name.

        Raises:
            DataError: It is not a zip file, is encrypted, or contains more than may be unpacked.
            OSError: The file cannot be read.
        """
        self.name = safe_name(name)
        try:
            with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as content:
                _check_listing(content, self.name)
            self._zip = zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise  # the system's word about the file, not about what is in it
            raise DataError(f"'{self.name}' is not a readable zip file.") from error
        self._infos = self._zip.infolist()
        names = read_names(self._infos)
        files = [
            (at, info)
            for at, info in enumerate(self._infos)
            if info.filename and not names[at].endswith("/") and not is_litter(_parts(names[at]))
        ]
        found = [(at, info) for at, info in files if names[at].lower().endswith(IMAGE_SUFFIXES)]
        images = [info for _, info in found]
        self.left_out = describe_left_out(
            [names[at] for at, _ in files if not names[at].lower().endswith(IMAGE_SUFFIXES)]
        )
        if any(info.flag_bits & 1 for info in images):
            raise DataError(f"'{self.name}' is encrypted; only unencrypted zip files can be read.")
        if len(images) > MAX_IMAGES:
            raise DataError(
                f"'{self.name}' contains {len(images):,} images; up to {MAX_IMAGES:,} can be read."
            )
        if sum(info.file_size for info in images) > MAX_UNPACKED_BYTES:
            raise DataError(
                f"'{self.name}' would unpack to more than {MAX_UNPACKED_BYTES / 1e9:g} GB."
            )
        members = [_describe(names[at], at, self.name) for at, _ in found]
        self.members = tuple(sorted(members, key=lambda member: member.name))

    def labeled(self, split: str | None = None) -> list[Member]:
        """The images in folders named after a class; None takes all splits."""
        return [m for m in self.members if m.label >= 0 and split in (None, m.split)]

    def read(self, member: Member) -> np.ndarray:
        """Decodes one image, (height, width, 3) uint8 RGB.

        Raises:
            ImageError: It is too large, damaged or not an image.
        """
        return self.read_photo(member).rgb

    def read_photo(self, member: Member) -> Photo:
        """Like `read`, but also says what is missing.

        Raises:
            ImageError: As `read`.
        """
        info = self._infos[member.position]
        if info.file_size > MAX_IMAGE_BYTES:
            raise ImageError(f"'{member.name}' is over {MAX_IMAGE_BYTES / 1e6:g} MB.")
        if info.compress_type not in _BOUNDED:
            raise ImageError(f"'{member.name}' uses an unsupported compression; use deflate.")
        try:
            content = self._unpack(info)
        except Exception as error:  # each compression method has its own errors
            raise ImageError(f"'{member.name}' is damaged in the archive.") from error
        return read_photo(content, member.name)

    def _unpack(self, info: zipfile.ZipInfo) -> bytes:
        """A member's content; never reads much more than its declared size."""
        content = bytearray()
        with self._zip.open(info) as file:
            while chunk := file.read(_CHUNK_BYTES):
                content += chunk
        return bytes(content)


def _check_listing(content: BinaryIO, name: str) -> None:
    """Rejects an archive whose file list alone would fill memory."""
    size = content.seek(0, os.SEEK_END)
    content.seek(max(0, size - _TAIL_BYTES))
    tail = content.read()
    at = tail.rfind(_END)
    listing_bytes = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    where = tail[at - 20 : at] if at >= 20 else b""
    if where.startswith(_WHERE_64):
        start = int.from_bytes(where[8:16], "little")
        content.seek(min(start, size))
        record = content.read(56)
        if not record.startswith(_END_64):
            raise zipfile.BadZipFile
        listing_bytes = int.from_bytes(record[40:48], "little")
    if listing_bytes > size:
        raise zipfile.BadZipFile
    if listing_bytes > MAX_LISTING_BYTES:
        raise DataError(f"'{name}' contains too many files to be read.")


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _describe(path: str, position: int, archive: str) -> Member:
    parts = _parts(path)
    folders = parts[-2::-1]  # the nearest first
    labels = (label_of(name, [*folders[i:], archive]) for i, name in enumerate(folders))
    label = next((label for label in labels if label >= 0), -1)
    split = next(filter(None, map(split_of, folders)), "")
    shown = "".join(c for c in "/".join(parts) if unicodedata.category(c)[0] != "C")
    name = shown if len(shown) <= 200 else f"{shown[:100]}…{shown[-99:]}"
    return Member(name, label, split, position)
