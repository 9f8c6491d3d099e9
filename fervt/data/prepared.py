"""The one file that training and evaluation read: a Parquet table of checked, compressed faces.

Sources come in many forms; this file has been checked once, keeps every pixel (lossless WebP),
records exact copies across the whole source even after splits are left out, and carries a content
hash that checkpoints and evaluations quote.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fervt.data.parquet import BROKEN, check_size, open_parquet
from fervt.errors import DataError
from fervt.files import write_aside
from fervt.labels import FER2013, FERPLUS, SPLITS, VOTE_NAMES
from fervt.progress import Progress, no_progress, track

SIDE_PX = 48
_METADATA_KEY = b"fervt.prepared"
_VERSION = 1
_MOST_IMAGE_BYTES = 8_192  # of a face; uncompressed it has 2,304
_MOST_TEXT_BYTES = 64
_VALUES = ("usage", "other_splits", "image")  # of any length, and a row can repeat another's
_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("usage", pa.string(), nullable=False),
        pa.field("label_fer2013", pa.int64(), nullable=False),
        pa.field("votes", pa.list_(pa.uint8(), len(VOTE_NAMES)), nullable=False),
        pa.field("sha256", pa.binary(32), nullable=False),
        pa.field("other_splits", pa.string(), nullable=False),
        pa.field("image", pa.binary(), nullable=False),
    ]
)


@dataclass(frozen=True, eq=False)
class PreparedData:
    """Faces with their labels, votes and split; N rows in the order of the source.

    Attributes:
        images: (N, 48, 48) uint8, gray, 0..255.
        row: (N,) int64, position in the source.
        usage: (N,) str, one of `labels.SPLITS`.
        label_fer2013: (N,) int64, index in FER2013's classes; -1 = none.
        votes: (N, 10) uint8, FER+ votes in the order of `labels.VOTE_NAMES`; all zero = none.
        sha256: (N,) str, hex SHA-256 of the 48x48 pixel bytes.
        other_splits: (N,) str, comma-joined names of the other splits of the whole source that
            have the same pixels; '' = none.
        content_hash: Hex SHA-256 of the usage, label, votes and pixel hashes of all rows of the
            file. A selection keeps its file's hash.
        split_rule: How rows were assigned to splits, as a sentence.
        source: File name of the source.
    """

    images: NDArray[np.uint8]
    row: NDArray[np.int64]
    usage: NDArray[np.str_]
    label_fer2013: NDArray[np.int64]
    votes: NDArray[np.uint8]
    sha256: NDArray[np.str_]
    other_splits: NDArray[np.str_]
    content_hash: str
    split_rule: str
    source: str

    @classmethod
    def from_rows(
        cls,
        images: NDArray[np.uint8],
        row: NDArray[np.int64],
        usage: NDArray[np.str_],
        label_fer2013: NDArray[np.int64],
        votes: NDArray[np.uint8],
        split_rule: str,
        source: str,
    ) -> "PreparedData":
        """Builds the data of a whole source: computes hashes and finds copies across splits.

        Args: as the attributes of the same names.
        """
        sha256 = np.array([hash_pixels(image) for image in images], dtype="<U64")
        splits_by_hash: dict[str, set[str]] = {}
        for digest, split in zip(sha256.tolist(), usage.tolist(), strict=True):
            splits_by_hash.setdefault(digest, set()).add(split)
        other_splits = np.array(
            [
                ",".join(s for s in SPLITS if s != own and s in splits_by_hash[digest])
                for digest, own in zip(sha256.tolist(), usage.tolist(), strict=True)
            ],
            dtype=np.str_,
        )
        return cls(
            images,
            row,
            usage,
            label_fer2013,
            votes,
            sha256,
            other_splits,
            _hash_content(usage, label_fer2013, votes, sha256),
            split_rule,
            source,
        )

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.row)

    def select(self, rows: Any) -> "PreparedData":
        """The rows of a boolean mask (N,), an integer index (M,) or a slice, in its order."""
        arrays = {
            f.name: getattr(self, f.name)[rows]
            for f in fields(self)
            if isinstance(getattr(self, f.name), np.ndarray)
        }
        return replace(self, **arrays)

    def split(self, name: str) -> "PreparedData":
        """The rows of one split.

        Raises:
            DataError: There are none.
        """
        mask = self.usage == name
        if not mask.any():
            raise DataError(
                f"The data prepared from {self.source} has no {name} rows; "
                f"it has {_listing(self.usage)}."
            )
        return self.select(mask)

    @property
    def is_copy(self) -> NDArray[np.bool_]:
        """(N,) bool: test images whose exact pixels may have been used to train or select a model.

        True for PrivateTest rows that are also in Training or PublicTest and for PublicTest rows
        that are also in Training; never for Training rows.
        """
        in_training = np.strings.find(self.other_splits, "Training") >= 0
        in_public = np.strings.find(self.other_splits, "PublicTest") >= 0
        return np.where(
            self.usage == "PrivateTest",
            in_training | in_public,
            (self.usage == "PublicTest") & in_training,
        )

    @property
    def label_ferplus(self) -> NDArray[np.int64]:
        """(N,) int64: index in FER+'s classes by the majority rule, -1 = none.

        Single votes are dropped; the top vote must then have more than half of what remains and
        must not be unknown or NF (Barsoum et al. 2016, https://arxiv.org/abs/1608.01041).
        """
        votes = self._repeated_votes()
        top = votes.argmax(axis=1)
        kept = (2 * votes.max(axis=1) > votes.sum(axis=1)) & (top < len(FERPLUS))
        return np.where(kept, top, -1)

    @property
    def ferplus_distribution(self) -> NDArray[np.float32]:
        """(N, 8) float32: votes over FER+'s classes, single ones dropped, summing to 1.

        All zero where `label_ferplus` is -1.
        """
        votes = self._repeated_votes()[:, : len(FERPLUS)].astype(np.float32)
        votes[self.label_ferplus < 0] = 0
        return votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)

    def _repeated_votes(self) -> NDArray[np.int64]:
        return np.where(self.votes == 1, 0, self.votes).astype(np.int64)


def write_prepared(
    data: PreparedData, path: str | Path, progress: Progress = no_progress
) -> PreparedData:
    """Writes a prepared file atomically.

    Args:
        data: What to write.
        path: The file; its folder is created if it is missing.
        progress: Called with the progress.

    Returns:
        The data with the file's content hash, which covers exactly these rows.

    Raises:
        DataError: The file cannot be written.
    """
    path = Path(path)
    data = replace(
        data,
        content_hash=_hash_content(data.usage, data.label_fer2013, data.votes, data.sha256),
    )
    about = {
        "version": _VERSION,
        "content_hash": data.content_hash,
        "split_rule": data.split_rule,
        "source": data.source,
    }
    images = [_encode(image) for image in track(data.images, len(data), progress, "Compressing")]
    columns = [
        pa.array(data.row),
        pa.array(data.usage.tolist(), pa.string()),
        pa.array(data.label_fer2013),
        pa.FixedSizeListArray.from_arrays(pa.array(data.votes.ravel()), len(VOTE_NAMES)),
        pa.array([bytes.fromhex(digest) for digest in data.sha256.tolist()], pa.binary(32)),
        pa.array(data.other_splits.tolist(), pa.string()),
        pa.array(images, pa.binary()),
    ]
    table = pa.Table.from_arrays(
        columns, schema=_SCHEMA.with_metadata({_METADATA_KEY: json.dumps(about)})
    )
    try:
        with write_aside(path) as aside:
            pq.write_table(table, aside, compression="zstd", use_dictionary=["usage"])
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from error
    return data


def read_prepared(
    source: str | Path | bytes, splits: Sequence[str] | None = None, name: str | None = None
) -> PreparedData:
    """Reads and checks a prepared file.

    Args:
        source: A file written by `write_prepared`: its path or its content.
        splits: Names of the splits to read; None = all. Only their images are decoded.
        name: Its name in errors; its path by default.

    Raises:
        DataError: It is not a prepared file, is damaged, or lacks one of the splits.
    """
    name = _name_of(source, name)
    file, about = _open_table(source, name)
    damaged = DataError(f"{name} is damaged; create it again with 'python -m fervt prepare'.")
    try:
        table = file.read()
        if max(_longest(table["usage"]), _longest(table["other_splits"])) > _MOST_TEXT_BYTES:
            raise damaged
        usage = np.array(table["usage"].to_pylist(), dtype=np.str_)
        label = table["label_fer2013"].to_numpy()
        flat = table["votes"].combine_chunks().flatten()
        votes = flat.to_numpy(zero_copy_only=False).reshape(-1, len(VOTE_NAMES))
        sha256 = np.array([digest.hex() for digest in table["sha256"].to_pylist()], dtype="<U64")
    except (*BROKEN, AttributeError) as error:
        raise damaged from error
    if (
        votes.dtype != np.uint8
        or not np.isin(usage, SPLITS).all()
        or ((label < -1) | (label >= len(FER2013))).any()
        or _hash_content(usage, label, votes, sha256) != about["content_hash"]
    ):
        raise damaged

    for split in splits or ():
        if split not in usage:
            raise DataError(f"{name} has no {split} rows; it has {_listing(usage)}.")
    wanted = np.ones(len(usage), bool) if splits is None else np.isin(usage, splits)
    encoded = table["image"].filter(pa.array(wanted))
    images = np.empty((len(encoded), SIDE_PX, SIDE_PX), np.uint8)
    for i, (image, digest) in enumerate(zip(encoded, sha256[wanted].tolist(), strict=True)):
        pixels = _decode(image.as_py())
        if pixels is None or hash_pixels(pixels) != digest:
            raise damaged
        images[i] = pixels
    return PreparedData(
        images,
        table["row"].to_numpy()[wanted],
        usage[wanted],
        label[wanted],
        votes[wanted],
        sha256[wanted],
        np.array(table["other_splits"].to_pylist(), dtype=np.str_)[wanted],
        **{key: about[key] for key in ("content_hash", "split_rule", "source")},
    )


def _longest(column: pa.ChunkedArray) -> int:
    """Bytes of the longest value of a column that was read as a dictionary."""
    values = (len(value.as_py().encode()) for part in column.chunks for value in part.dictionary)
    return max(values, default=0)


def _decode(encoded: bytes) -> NDArray[np.uint8] | None:
    """A face (48, 48) uint8; None for anything else, which is never decoded."""
    if len(encoded) > _MOST_IMAGE_BYTES or _webp_size(encoded) != (SIDE_PX, SIDE_PX):
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        return None
    right = pixels is not None and pixels.shape == (SIDE_PX, SIDE_PX)
    return np.asarray(pixels, np.uint8) if right else None


def _webp_size(encoded: bytes) -> tuple[int, int] | None:
    """Width and height of a lossless WebP, from its header; None if it is not one.

    Fourteen bits each, storing the value minus one, after the byte 0x2f
    (https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification).
    """
    if encoded[:4] != b"RIFF" or encoded[8:16] != b"WEBPVP8L" or encoded[20:21] != b"/":
        return None
    bits = int.from_bytes(encoded[21:25], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def count_splits(source: str | Path | bytes, name: str | None = None) -> dict[str, int]:
    """The number of rows in each split of a prepared file, in the order of `labels.SPLITS`.

    Args:
        source: As for `read_prepared`.
        name: The same.

    Raises:
        DataError: It is not a prepared file.
    """
    name = _name_of(source, name)
    file, _ = _open_table(source, name)
    try:
        column = file.read(["usage"])["usage"]
        if _longest(column) > _MOST_TEXT_BYTES:
            raise _no_prepared_file(name)
        counts = Counter(column.to_pylist())
    except BROKEN as error:
        raise _no_prepared_file(name) from error
    return {split: counts[split] for split in SPLITS if counts[split]}


def _name_of(source: str | Path | bytes, name: str | None) -> str:
    if name is not None:
        return name
    return "The file" if isinstance(source, bytes) else str(source)


def _no_prepared_file(name: str) -> DataError:
    return DataError(
        f"{name} is not a prepared file; make one with 'python -m fervt prepare SOURCE --out FILE'."
    )


def _open_table(source: str | Path | bytes, name: str) -> tuple[pq.ParquetFile, dict[str, Any]]:
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise DataError(f"{name} does not exist or is not a file.")
    try:
        schema = open_parquet(source).schema_arrow
        about = json.loads((schema.metadata or {}).get(_METADATA_KEY, b"null"))
    except BROKEN as error:
        raise _no_prepared_file(name) from error
    if not isinstance(about, dict) or not schema.equals(_SCHEMA):
        raise _no_prepared_file(name)
    if about.get("version") != _VERSION:
        raise DataError(
            f"{name} has version {about.get('version')} of the prepared format, "
            f"this program reads {_VERSION}."
        )
    if not all(isinstance(about.get(k), str) for k in ("content_hash", "split_rule", "source")):
        raise _no_prepared_file(name)
    file = open_parquet(source, by_value=_VALUES)
    sizes = dict.fromkeys((field.name for field in _SCHEMA), _MOST_TEXT_BYTES)
    check_size(file, name, sizes | {"image": _MOST_IMAGE_BYTES})
    return file, about


def _listing(usage: NDArray[np.str_]) -> str:
    return ", ".join(name for name in SPLITS if name in usage) or "none at all"


def _encode(image: NDArray[np.uint8]) -> bytes:
    # Above 100, OpenCV's WebP is lossless; for these faces it is a tenth smaller than PNG.
    return cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()


def hash_pixels(image: NDArray[np.uint8]) -> str:
    """Hex SHA-256 of an image's pixel bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()


def _hash_content(
    usage: NDArray[np.str_],
    label: NDArray[np.int64],
    votes: NDArray[np.uint8],
    sha256: NDArray[np.str_],
) -> str:
    digest = hashlib.sha256()
    for parts in zip(usage.tolist(), label.tolist(), votes.tolist(), sha256.tolist(), strict=True):
        digest.update(json.dumps(parts).encode())
    return digest.hexdigest()
