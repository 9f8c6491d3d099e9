"""The evidence for every row of a saved evaluation, and its file.

`evidence.npz` is beside `predictions.parquet`, see `fervt.evaluation.beside`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fervt.data.transforms import Preprocess
from fervt.errors import DataError
from fervt.evaluation.beside import ArraysBeside, hash_rows
from fervt.evaluation.measures import MEASURES
from fervt.explain.evidence import SOURCES
from fervt.explain.grid import CELLS

FILE = "evidence.npz"
LEAST_FACES = 20
"""Fewer are not averaged into a stored face: it must not be recognizable as anybody's."""

_WHOLE = 255  # an edge with all of its target's attention
_DROPPED_BITS = 3


@dataclass(frozen=True, eq=False)
class Edges:
    """Graph attention along E edges, for N rows.

    In steps of 1/255: attention varies ten times as much from face to face, and one byte per edge
    makes it small enough to store for every row, so that any selection has its edges.

    Attributes:
        index: (2, E) int64, rows source and target; node = 7 * row + column.
        steps: (N, E) uint8, mean of layers and heads, 0..255 for 0..1.
    """

    index: NDArray[np.int64]
    steps: NDArray[np.uint8]

    @classmethod
    def of(cls, index: NDArray[np.int64], attention: NDArray[np.floating]) -> "Edges":
        """Takes attention (N, E), 0..1."""
        return cls(index, np.rint(attention * _WHOLE).astype(np.uint8))

    def attention(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Attention (n, E), 0..1, of the rows at positions (n,) or under a mask (N,)."""
        return np.multiply(self.steps[rows], np.float32(1 / _WHOLE), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Evidence(ArraysBeside):
    """Evidence for N rows of C classes.

    Attributes:
        maps: By key of `explain.SOURCES`, (N, 49) float16, for the predicted class.
        measures: By key of `MEASURES`, (N,) float16; see `measure_faces`.
        edges: Attention along the graph's edges; None without the graph.
        mean_faces: (C, 48, 48) uint8, the mean face of each label; gray with too few faces.
        mean_face: (48, 48) uint8, of all rows; gray with too few.
        crop: Share of a face's side that the checkpoint sees, 0.1..1.
    """

    FILE: ClassVar[str] = FILE
    VERSION: ClassVar[int] = 2

    maps: dict[str, NDArray[np.float16]]
    measures: dict[str, NDArray[np.float16]]
    edges: Edges | None
    mean_faces: NDArray[np.uint8]
    mean_face: NDArray[np.uint8]
    crop: float = Preprocess.crop

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.maps.values())))

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays of its file."""
        arrays: dict[str, NDArray[Any]] = {
            f"map_{name}": shorten(values) for name, values in self.maps.items()
        }
        arrays |= {f"measure_{name}": values for name, values in self.measures.items()}
        arrays |= {"mean_faces": self.mean_faces, "mean_face": self.mean_face}
        arrays["crop"] = np.array(self.crop)
        if self.edges is not None:
            arrays |= {"edge_index": self.edges.index, "edge_steps": self.edges.steps}
        return arrays


def shorten(values: NDArray[Any]) -> NDArray[np.float16]:
    """Rounds to half precision with seven bits of mantissa, within 0.4%: a third less to store."""
    bits = values.astype(np.float16).view(np.uint16).astype(np.uint32)
    half = 1 << (_DROPPED_BITS - 1)
    return ((bits + half) >> _DROPPED_BITS << _DROPPED_BITS).astype(np.uint16).view(np.float16)


def read_evidence_file(
    folder: Path, checkpoint_sha256: str, image_sha256: Iterable[str], classes: int
) -> Evidence | None:
    """Reads and checks the evidence beside predictions.

    Args:
        folder: Of the saved evaluation.
        checkpoint_sha256: Of the checkpoint that made the predictions.
        image_sha256: Of their rows.
        classes: C.

    Returns:
        None if there is none.

    Raises:
        DataError: It is damaged, or belongs to another checkpoint or other rows.
    """
    digests = list(image_sha256)
    arrays = Evidence.read_arrays(folder, checkpoint_sha256, digests)
    if arrays is None:
        return None
    maps = {name: arrays.get(f"map_{name}") for name in SOURCES}
    measures = {name: arrays.get(f"measure_{name}") for name in MEASURES}
    shapes: dict[str, tuple[int, ...]] = {
        **{f"map_{name}": (len(digests), CELLS) for name, v in maps.items() if v is not None},
        **{f"measure_{name}": (len(digests),) for name, v in measures.items() if v is not None},
        "mean_faces": (classes, 48, 48),
        "mean_face": (48, 48),
    }
    crop = arrays.pop("crop", np.array(Preprocess.crop))  # older files don't say
    if crop.shape or crop.dtype.kind != "f" or not 0.1 <= crop <= 1:
        raise DataError(f"'{FILE}' is damaged: 'crop' should be a number from 0.1 to 1.")
    edges = None
    if "edge_index" in arrays:
        count = arrays["edge_index"].size // 2
        shapes |= {"edge_index": (2, count), "edge_steps": (len(digests), count)}
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            raise DataError(f"'{FILE}' is damaged: '{name}' should have the shape {shape}.")
        arrays[name] = _checked(name, arrays[name])
    if not any(values is not None for values in maps.values()):
        raise DataError(f"'{FILE}' is damaged: it contains no map.")
    if "edge_index" in arrays:
        edges = Edges(arrays["edge_index"], arrays["edge_steps"])
    return Evidence(
        checkpoint_sha256,
        hash_rows(digests),
        {name: arrays[f"map_{name}"] for name, values in maps.items() if values is not None},
        {name: arrays[f"measure_{name}"] for name in MEASURES if measures[name] is not None},
        edges,
        arrays["mean_faces"],
        arrays["mean_face"],
        float(crop),
    )


def _checked(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """An array of the file, checked for its type and range of values."""
    dtype: np.dtype[Any]
    if name in ("mean_faces", "mean_face", "edge_steps"):
        dtype, kinds = np.dtype(np.uint8), "iu"
    elif name == "edge_index":
        dtype, kinds = np.dtype(np.int64), "iu"
    else:
        dtype, kinds = np.dtype(np.float16), "f"
    if values.dtype.kind not in kinds:
        raise DataError(f"'{FILE}' is damaged: '{name}' contains values of type {values.dtype}.")
    if kinds == "f":
        with np.errstate(over="ignore"):
            values = values.astype(dtype, copy=False)
        unknown = np.isnan(values) & name.startswith("measure_")  # such as where nobody voted
        if not (np.isfinite(values) | unknown).all():
            raise DataError(f"'{FILE}' is damaged: '{name}' contains values that are not finite.")
        return values
    most = CELLS - 1 if name == "edge_index" else np.iinfo(dtype).max
    if values.size and (values.min() < 0 or values.max() > most):
        raise DataError(f"'{FILE}' is damaged: '{name}' contains values outside 0..{most}.")
    return values.astype(dtype, copy=False)
