"""What there is to read, divided into chunks that a worker anywhere can open by itself.

The division depends only on the sources, not on the number of workers or on interruptions.
So a run that is resumed, or that moves to a cluster, has the same chunks.
"""

import codecs
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePath
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from fervt.data.archive import ImageArchive
from fervt.data.folders import describe_kinds, is_image, walk
from fervt.data.parquet import DAMAGED
from fervt.errors import DataError

CHUNK_IMAGES = 64  # a forward pass of crops, or some seconds of photos: what a kill loses
_LISTS = (".txt", ".lst")
IMAGE_COLUMN = "image"


@dataclass(frozen=True)
class Chunk:
    """Some images of one kind of source.

    Attributes:
        kind: Of the source.
        place: The Parquet or zip file; "" for files.
        start: Position of the first row or member.
        stop: Position after the last one.
        names: Paths of files, as the file system spells them.
    """

    kind: Literal["files", "parquet", "zip"]
    place: str = ""
    start: int = 0
    stop: int = 0
    names: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return len(self.names) if self.kind == "files" else self.stop - self.start


def plan_chunks(paths: Sequence[Path], left_out: list[str]) -> Iterator[Chunk]:
    """Yields what is to be read, in order; holds no more than a chunk of it.

    Args:
        paths: Images, folders of images, zip files of images, Parquet files with a column of
            images, and text files that list one path per line (relative to the list's folder).
        left_out: Gets a sentence for each source that contains files other than images.

    Raises:
        DataError: A source contains no images, or cannot be used.
    """
    files: list[bytes] = []  # images named one by one share chunks
    for path in paths:
        kind = _kind_of(path)
        if kind == "image":
            files.append(os.fsencode(path))
            if len(files) == CHUNK_IMAGES:
                yield Chunk("files", names=tuple(files))
                files = []
            continue
        if files:
            yield Chunk("files", names=tuple(files))
            files = []
        any_here, said = False, len(left_out)
        for chunk in _PLANS[kind](path, left_out):
            any_here = True
            yield chunk
        if not any_here:
            raise DataError(
                " ".join([f"'{printable(path)}' contains no images.", *left_out[said:]])
            )
    if files:
        yield Chunk("files", names=tuple(files))


def printable(name: str | os.PathLike[str]) -> str:
    """A file name may contain undecodable bytes, which could not be printed or written."""
    return os.fspath(name).encode(errors="replace").decode()


def _kind_of(path: Path) -> str:
    if path.is_dir():
        return "folder"
    suffix = path.suffix.lower()
    if suffix == ".zip" and path.is_file():
        return "zip"
    return {".parquet": "parquet", **dict.fromkeys(_LISTS, "list")}.get(suffix, "image")


def _plan_folder(folder: Path, left_out: list[str]) -> Iterator[Chunk]:
    others: Counter[str] = Counter()
    links: list[str] = []

    def images() -> Iterator[bytes]:
        for file in walk(folder, links):
            if is_image(file):
                yield os.fsencode(file)
            else:
                others[PurePath(file).suffix.lower()] += 1

    yield from _cut(images())
    if others:
        left_out.append(printable(describe_kinds(others)))
    if links:
        more = f" and {len(links) - 1:,} more" if len(links) > 1 else ""
        left_out.append(f"Left out: links to folders ('{printable(links[0])}'{more}).")


def _plan_list(file: Path, _: list[str]) -> Iterator[Chunk]:
    try:
        with file.open("rb") as lines:
            if lines.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                raise DataError(f"'{printable(file)}' is in UTF-16; save the list in UTF-8.")
            lines.seek(0)
            stripped = (line.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf") for line in lines)
            here = os.fsencode(file.parent)
            yield from _cut(os.path.join(here, name) for name in stripped if name.strip())
    except OSError as error:
        raise DataError(f"'{printable(file)}' cannot be read: {error.strerror}.") from error


def _plan_parquet(file: Path, _: list[str]) -> Iterator[Chunk]:
    with open_parquet(file) as table:
        rows = table.metadata.num_rows
    for start in range(0, rows, CHUNK_IMAGES):
        yield Chunk("parquet", os.fspath(file), start, min(start + CHUNK_IMAGES, rows))


def _plan_zip(file: Path, left_out: list[str]) -> Iterator[Chunk]:
    archive = open_zip(file)
    if archive.left_out:
        left_out.append(f"'{archive.name}': {archive.left_out}")
    for start in range(0, len(archive.members), CHUNK_IMAGES):
        stop = min(start + CHUNK_IMAGES, len(archive.members))
        yield Chunk("zip", os.fspath(file), start, stop)


_PLANS = {
    "folder": _plan_folder,
    "list": _plan_list,
    "parquet": _plan_parquet,
    "zip": _plan_zip,
}


def _cut(names: Iterable[bytes]) -> Iterator[Chunk]:
    names = iter(names)
    while part := tuple(islice(names, CHUNK_IMAGES)):
        yield Chunk("files", names=part)


def open_zip(file: str | os.PathLike[str]) -> ImageArchive:
    """Opens a zip file of images.

    Raises:
        DataError: It cannot be read, or is none.
    """
    path = Path(file)
    try:
        return ImageArchive(path, printable(path.name))
    except OSError as error:
        raise DataError(f"'{printable(path)}' cannot be read: {error.strerror}.") from error


def open_parquet(file: str | os.PathLike[str]) -> pq.ParquetFile:
    """Opens a table with a column of images: bytes, or HuggingFace's struct that holds them.

    Raises:
        DataError: It cannot be read, or has no such column.
    """
    try:
        # A buffer: otherwise a whole column of a row group is held, which may be gigabytes.
        table = pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)
    except (*DAMAGED, OSError) as error:
        raise DataError(f"'{printable(file)}' cannot be read as a Parquet file.") from error
    index = table.schema_arrow.get_field_index(IMAGE_COLUMN)
    kind = table.schema_arrow.field(index).type if index >= 0 else None
    if isinstance(kind, pa.StructType):
        at = kind.get_field_index("bytes")
        kind = kind.field(at).type if at >= 0 else None
    if kind is None or not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        table.close()
        raise DataError(
            f"'{printable(file)}' has no column named {IMAGE_COLUMN} that holds the bytes of image "
            "files."
        )
    return table
