"""Data beside the predictions of a saved evaluation, each in its own file.

Such a file names its checkpoint and rows by their hashes, so that nothing from
another checkpoint or from other rows is ever shown.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fervt.errors import DataError
from fervt.files import write_aside

_SPARE, _A_ROW = 4_000_000, 16_384  # bytes that such a file may unpack to: in all, and for each row


class Beside(ABC):
    """What has a file beside the predictions."""

    FILE: ClassVar[str]

    @abstractmethod
    def as_bytes(self) -> bytes:
        """The content of its file."""

    def write(self, folder: Path) -> None:
        """Writes the file into the folder of a saved evaluation, atomically.

        Raises:
            OSError: It cannot be written.
        """
        with write_aside(folder / self.FILE) as aside:
            aside.write_bytes(self.as_bytes())


@dataclass(frozen=True, eq=False)
class ArraysBeside(Beside):
    """Arrays beside the predictions, in an .npz file.

    Attributes:
        checkpoint_sha256: Of the checkpoint's file.
        rows_sha256: `hash_rows` of all rows of the evaluation.
    """

    VERSION: ClassVar[int]

    checkpoint_sha256: str
    rows_sha256: str

    @abstractmethod
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The file's arrays by name."""

    def as_bytes(self) -> bytes:
        """The content of its file."""
        about = {
            "version": self.VERSION,
            "checkpoint_sha256": self.checkpoint_sha256,
            "rows_sha256": self.rows_sha256,
        }
        content = BytesIO()
        np.savez_compressed(content, about=np.array(json.dumps(about)), **self.arrays())  # type: ignore[arg-type]
        return content.getvalue()

    @classmethod
    def read_arrays(
        cls, folder: Path, checkpoint_sha256: str, digests: list[str]
    ) -> dict[str, NDArray[Any]] | None:
        """The arrays of the file beside predictions; None if there is none.

        Args:
            folder: Of the saved evaluation.
            checkpoint_sha256: Of the checkpoint that made the predictions.
            digests: SHA-256 of their rows' images.

        Raises:
            DataError: The file is damaged, or belongs to another checkpoint or other rows.
        """
        arrays = read_arrays(folder / cls.FILE, len(digests))
        if arrays is None:
            return None
        try:
            about = json.loads(str(arrays.pop("about", "")))
        except ValueError:
            about = None
        name = cls.FILE
        if not isinstance(about, dict) or about.get("version") != cls.VERSION:
            raise DataError(f"'{name}' was written by another version of fervt; measure it again.")
        if about.get("checkpoint_sha256") != checkpoint_sha256:
            raise DataError(
                f"'{name}' belongs to another checkpoint than the predictions beside it."
            )
        if about.get("rows_sha256") != hash_rows(digests):
            raise DataError(f"'{name}' belongs to other rows than the predictions beside it.")
        return arrays


def hash_rows(image_sha256: Iterable[str]) -> str:
    """Hex SHA-256 over the hashes of rows' images, in order."""
    return hashlib.sha256("\n".join(image_sha256).encode()).hexdigest()


def read_arrays(path: Path, rows: int) -> dict[str, NDArray[Any]] | None:
    """The arrays of an .npz file by name; None if there is no such file.

    Args:
        path: The file, which may be untrusted.
        rows: How many rows it covers, which limits its unpacked size.

    Raises:
        DataError: It is damaged, or too large.
    """
    try:
        # From memory: NumPy leaves a damaged file open.
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as file:
            if sum(part.file_size for part in file.zip.infolist()) > _SPARE + _A_ROW * rows:
                raise DataError(f"'{path.name}' would unpack to more than its rows can need.")
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        return None
    except DataError:
        raise
    except Exception as error:  # each way of being damaged has its own errors
        raise DataError(f"'{path.name}' is damaged.") from error
