"""A table that is written in parts, so that a killed run continues where it was.

Beside `table.parquet` a folder `table.parquet.parts` has the plan (which images, in which parts),
`run.json` (for what) and one file per part. A part appears complete, under its final name, or not
at all; so does the table, joined from the parts in order, and then the folder is removed.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fervt import __version__
from fervt.data.parquet import BROKEN, DAMAGED
from fervt.errors import ConfigError, DataError
from fervt.faces import thread_detector
from fervt.files import write_aside
from fervt.pipeline.folder import (
    PART,
    PLAN,
    RUN,
    claim,
    clear_discarded,
    discard,
    refuse_foreign,
    remove_own,
)
from fervt.pipeline.plan import Chunk, plan_chunks, printable
from fervt.pipeline.writers import CsvWriter, ParquetWriter
from fervt.predict import Predictor
from fervt.table import FOUND, NO_FACE, Row, as_arrow

_PLAN_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("place", pa.binary()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("names", pa.list_(pa.binary())),
    ]
)
_PLAN_GROUP = 16  # parts
_KEPT_SENTENCES = 20
_IMAGES_KEY = b"fervt.images"
_MEANT = {
    "sources": "other images",
    "checkpoint": "another checkpoint",
    "whole_image": "another choice of --whole-image",
    "detector": "another face detector",
    "version": "another version of fervt",
}


@dataclass
class Summary:
    """The content of a table, in counts.

    Attributes:
        images: How many were read.
        faces: How many faces they have.
        faceless: Images in which no face was found.
        unreadable: Images that could not be read.
        sentences: The first reasons and notes; the table has them all.
    """

    images: int = 0
    faces: int = 0
    faceless: int = 0
    unreadable: int = 0
    sentences: list[str] = field(default_factory=list)

    @property
    def noted(self) -> int:
        """Images with their own sentence."""
        return self._noted + self.unreadable

    _noted: int = 0

    def add(self, table: pa.Table) -> None:
        """Counts the rows of a part."""
        counts = Counter(table["face"].to_pylist())
        self.unreadable += counts[None]
        self.faceless += counts[0]
        self.images += counts[0] + counts[1]
        self.faces += counts.total() - counts[None] - counts[0]
        plain = pc.is_in(table["status"], pa.array([FOUND, NO_FACE]))
        first = pc.less_equal(pc.fill_null(table["face"], 0), 1)
        said = table.filter(pc.and_(pc.invert(plain), first))["status"].to_pylist()
        self._noted += len(said) - counts[None]
        self.sentences += said[: _KEPT_SENTENCES - len(self.sentences)]


@dataclass
class Run(AbstractContextManager["Run"]):
    """A table in the making; leaving the block gives up the claim on its folder.

    Attributes:
        out: The table.
        folder: Where its parts are.
        base: The folder that relative paths start from.
        whole_image: Whether each image is one face.
        classes: Of the checkpoint.
        checkpoint: Name and SHA-256.
        images: How many there are.
        parts: How many parts they make.
        left_out: Sentences about files that are not images.
        done: Images in the existing parts.
    """

    out: Path
    folder: Path
    base: str
    whole_image: bool
    classes: tuple[str, ...]
    checkpoint: tuple[str, str]
    images: int
    parts: int
    left_out: list[str]
    done: int
    _as_csv: bool
    _lock: IO[str] | None

    def waiting(self) -> Iterator[tuple[int, Chunk]]:
        """Yields the missing parts, in order, and what they should contain."""
        for number, chunk in enumerate(_read_plan(self.folder / PLAN)):
            if not part_file(self.folder, number).exists():
                yield number, chunk

    def finish(self) -> Summary:
        """Joins the parts in their order, and removes them.

        Raises:
            DataError: A part is missing or damaged, or the table cannot be written.
        """
        summary, images = Summary(), 0
        try:
            with write_aside(self.out) as aside, self._writer(aside) as write:
                for number in range(self.parts):
                    table, count = _read_part(part_file(self.folder, number))
                    write(table)
                    summary.add(table)
                    images += count
                if images != self.images:
                    raise DataError(
                        f"The parts in '{self.folder}' hold {images:,} images instead of "
                        f"{self.images:,}; delete that folder and start again."
                    )
        except OSError as error:
            raise _unwritable(self.out, error) from error
        discard(self.folder)
        return summary

    def _writer(self, aside: Path) -> CsvWriter | ParquetWriter:
        if self._as_csv:
            return CsvWriter(aside, self.classes)
        name, sha256 = self.checkpoint
        about = {"checkpoint": name, "checkpoint_sha256": sha256}
        return ParquetWriter(aside, self.classes, about)

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()


def begin(
    out: Path, paths: Sequence[Path], predictor: Predictor, whole_image: bool, as_csv: bool = False
) -> Run:
    """Begins a table, or resumes the one that was interrupted here.

    The sources are fixed at the beginning: images added later are not in the table.

    Args:
        out: The table; an older one is replaced when this one is complete.
        paths: As for `plan_chunks`.
        predictor: The checkpoint.
        whole_image: Take each image as one face.
        as_csv: Write CSV instead of Parquet.

    Raises:
        DataError: There are no images; or an interrupted run was for something else, or still
            runs; or the folder for the parts holds other files; or nothing can be written here.
    """
    if out.is_dir():
        raise DataError(f"'{out}' is a folder; name a file for the table.")
    folder = out.with_name(out.name + ".parts")
    wanted = {
        "sources": [printable(os.path.realpath(path)) for path in paths],
        "checkpoint": predictor.sha256,
        "whole_image": whole_image,
        "detector": "" if whole_image else thread_detector().name,
        "version": __version__,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        refuse_foreign(folder)
        lock = claim(folder)
        with ExitStack() as on_failure:
            on_failure.callback(_remove_unbegun, folder)
            if lock is not None:
                on_failure.callback(lock.close)
            clear_discarded(folder)
            if not (folder / RUN).exists():
                _start(folder, paths, wanted)
            begun = _read_run(folder)
            differs = [meant for key, meant in _MEANT.items() if begun[key] != wanted[key]]
            if differs:
                raise DataError(
                    f"'{folder}' contains a run begun with {' and '.join(differs)}: finish "
                    "it with the same options, delete it, or choose another file."
                )
            done = sum(_count_images(folder, number) for number in range(begun["parts"]))
            on_failure.pop_all()
    except OSError as error:
        raise _unwritable(out, error) from error
    return Run(
        out=out,
        folder=folder,
        base=begun["base"],
        whole_image=whole_image,
        classes=predictor.classes.classes,
        checkpoint=(predictor.name, predictor.sha256),
        images=begun["images"],
        parts=begun["parts"],
        left_out=begun["left_out"],
        done=done,
        _as_csv=as_csv,
        _lock=lock,
    )


def _remove_unbegun(folder: Path) -> None:
    if not (folder / RUN).exists():
        remove_own(folder)


def part_file(folder: Path, number: int) -> Path:
    """A part's path."""
    return folder / f"{number:08d}.parquet"


def write_part(
    folder: Path, number: int, images: int, rows: Sequence[Row], classes: Sequence[str]
) -> None:
    """Writes a part atomically."""
    write_part_table(folder, number, make_part(images, rows, classes))


def make_part(images: int, rows: Sequence[Row], classes: Sequence[str]) -> pa.Table:
    """A part's rows, which remember how many images they come from."""
    return as_arrow(rows, classes).replace_schema_metadata({_IMAGES_KEY: str(images)})


def images_of(part: pa.Table) -> int:
    """How many images a part's rows come from."""
    return int(part.schema.metadata[_IMAGES_KEY])


def write_part_table(folder: Path, number: int, table: pa.Table) -> None:
    """Writes what `make_part` made."""
    with write_aside(part_file(folder, number)) as aside:
        pq.write_table(table, aside, compression="zstd")


def _start(folder: Path, paths: Sequence[Path], wanted: dict[str, Any]) -> None:
    for path in folder.iterdir():  # parts of another run would pass for this one's
        if PART.fullmatch(path.name):
            path.unlink()
    left_out: list[str] = []
    images = parts = 0
    with (
        write_aside(folder / PLAN) as aside,
        pq.ParquetWriter(aside, _PLAN_SCHEMA, compression="zstd") as writer,
    ):
        group: list[dict[str, Any]] = []
        for chunk in plan_chunks(paths, left_out):
            images += len(chunk)
            parts += 1
            group.append(
                {
                    "kind": chunk.kind,
                    "place": os.fsencode(chunk.place),
                    "start": chunk.start,
                    "stop": chunk.stop,
                    "names": chunk.names,
                }
            )
            if len(group) == _PLAN_GROUP:
                writer.write_table(pa.Table.from_pylist(group, _PLAN_SCHEMA))
                group = []
        if group:
            writer.write_table(pa.Table.from_pylist(group, _PLAN_SCHEMA))
    if not images:
        raise DataError("There are no images to predict.")
    about = {"base": os.getcwd(), "images": images, "parts": parts, "left_out": left_out}
    with write_aside(folder / RUN) as aside:  # last: without it, nothing was begun
        aside.write_text(json.dumps(wanted | about, indent=1), encoding="utf-8")


def _read_plan(path: Path) -> Iterator[Chunk]:
    with pq.ParquetFile(path) as plan:
        for group in range(plan.num_row_groups):
            for row in plan.read_row_group(group).to_pylist():
                row |= {"place": os.fsdecode(row["place"]), "names": tuple(row["names"])}
                yield Chunk(**row)


def _read_run(folder: Path) -> dict[str, Any]:
    try:
        begun = json.loads((folder / RUN).read_text(encoding="utf-8"))
        needed = {*_MEANT, "base", "images", "parts", "left_out"}
        if not isinstance(begun, dict) or not needed <= begun.keys():
            raise ValueError
    except ValueError as error:
        raise DataError(
            f"'{folder}' contains no run of fervt; delete it or move it away."
        ) from error
    return begun


def _count_images(folder: Path, number: int) -> int:
    """How many images a part contains; one that a machine crash damaged is removed."""
    path = part_file(folder, number)
    try:
        return int((pq.read_metadata(path).metadata or {})[_IMAGES_KEY])
    except FileNotFoundError:
        return 0
    except (*DAMAGED, KeyError, ValueError):
        path.unlink()
        return 0


def _read_part(path: Path) -> tuple[pa.Table, int]:
    try:
        table = pq.read_table(path)
        return table, images_of(table)
    except BROKEN as error:
        with suppress(OSError):  # its footer may be whole, and count as done the next time
            path.unlink()
        raise DataError(
            f"'{path}' is missing or damaged; run the same command again to recreate it."
        ) from error


def _unwritable(out: Path, error: OSError) -> DataError:
    return DataError(f"'{out}' cannot be written: {error.strerror}.")


def check_form(out: Path) -> bool:
    """Whether a table's name asks for CSV.

    Raises:
        ConfigError: It ends in neither .csv nor .parquet.
    """
    suffix = out.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ConfigError(f"'{out}' must end in .parquet or .csv.")
    return suffix == ".csv"
