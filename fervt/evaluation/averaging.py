"""How the answers of an evaluation are averaged: not at all, with the mirror image, or over crops.

Answers for the mirrored faces are part of every evaluation. Those for five crops cost five more
passes of the network, so they are measured only on request and stored in `five_crop.npz`
beside `predictions.parquet`. The file has probabilities only: labels are kept in one place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fervt.errors import DataError
from fervt.evaluation.beside import ArraysBeside, hash_rows

FILE = "five_crop.npz"

Averaging = Literal["none", "flip", "five-crop"]
"""Test-time augmentation: "none"; "flip", the face and its mirror image; "five-crop", five windows
of the face in the checkpoint's crop size, the center and the four corners, none of them mirrored.
"""
AVERAGINGS: tuple[Averaging, ...] = get_args(Averaging)


@dataclass(frozen=True, eq=False)
class FiveCrop(ArraysBeside):
    """Probabilities averaged over five crops, for the N rows of an evaluation.

    The crops are those of torchvision's `FiveCrop`. The ten of Krizhevsky et al. (2012) are these
    and their mirror images.

    Attributes:
        probabilities: (N, C) float32, before temperature scaling.
    """

    FILE: ClassVar[str] = FILE
    VERSION: ClassVar[int] = 1

    probabilities: NDArray[np.float32]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays of its file."""
        return {"probabilities": self.probabilities}


def read_five_crop(
    folder: Path, checkpoint_sha256: str, image_sha256: Iterable[str], classes: int
) -> FiveCrop | None:
    """Reads and checks the averages beside predictions; None if there are none.

    Args:
        folder: Of the saved evaluation.
        checkpoint_sha256: Of the checkpoint that made the predictions.
        image_sha256: Of their rows.
        classes: C.

    Raises:
        DataError: The file is damaged, or belongs to another checkpoint or other rows.
    """
    digests = list(image_sha256)
    arrays = FiveCrop.read_arrays(folder, checkpoint_sha256, digests)
    if arrays is None:
        return None
    found = arrays.get("probabilities", np.empty(0))
    sound = (
        found.dtype.kind == "f"
        and found.shape == (len(digests), classes)
        and bool(((found >= 0) & (found <= 1.001)).all())  # so none is NaN
        and bool((np.abs(found.sum(axis=1, dtype=np.float64) - 1) < 1e-3).all())
    )
    if not sound:
        raise DataError(f"'{FILE}' is damaged: it contains no probabilities of these rows.")
    return FiveCrop(checkpoint_sha256, hash_rows(digests), found.astype(np.float32, copy=False))
