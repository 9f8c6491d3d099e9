"""A saved evaluation: a checkpoint's predictions for one split, and their figures.

It is a folder of four files. The tables (`predictions.parquet`, and `tta.parquet` if the faces
were mirrored too) have one row per face, see `fervt.evaluation.predictions`; `embeddings.npz` has
the class tokens of the same rows; `metrics.json` is a `Metrics`. Every page and report shows
figures of these files and never runs the model again, so the same choice gives the same figures
everywhere.
"""

import secrets
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fervt.errors import ConfigError, DataError
from fervt.evaluation.averaging import AVERAGINGS, Averaging, FiveCrop, read_five_crop
from fervt.evaluation.beside import read_arrays
from fervt.evaluation.evidence import Evidence, read_evidence_file
from fervt.evaluation.metrics import FILE_NAME as METRICS
from fervt.evaluation.metrics import Metrics, read_metrics
from fervt.evaluation.more_files import MORE_FILES, read_beside, stale_files
from fervt.evaluation.parts_report import PartsReport, read_parts
from fervt.evaluation.predictions import read_predictions
from fervt.evaluation.robustness import Robustness, read_robustness
from fervt.evaluation.rows import Rows, translate
from fervt.files import file_sha256, finish_writes, write_together
from fervt.labels import FER2013, SPLITS, Vocabulary
from fervt.metrics import project

T = TypeVar("T")

PREDICTIONS, MIRRORED, EMBEDDINGS = "predictions.parquet", "tta.parquet", "embeddings.npz"
FILES = (PREDICTIONS, MIRRORED, EMBEDDINGS, METRICS)
_MOST_CHOSEN = 32
_choosing = threading.Lock()  # one for all: an evaluation is pickled, and it is held for moments
_WAYS: dict[Averaging, str] = {"none": "", "flip": ", mirrored too", "five-crop": ", five crops"}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The complete content of a saved evaluation in memory; N rows.

    Attributes:
        metrics: Its figures, and how they were made.
        plain: The table of predictions.
        mirrored: The same, averaged with those of the mirrored faces.
        class_tokens: (N, D) float16, row by row as in `plain`.
    """

    metrics: Metrics
    plain: pd.DataFrame
    mirrored: pd.DataFrame
    class_tokens: NDArray[np.float16]

    def as_files(self) -> dict[str, bytes]:
        """The content of its four files by name, metrics.json last."""
        embeddings = BytesIO()
        np.savez_compressed(
            embeddings,
            image_sha256=self.plain["image_sha256"].to_numpy(dtype=str),
            class_token=self.class_tokens,
        )
        return {
            PREDICTIONS: self.plain.to_parquet(compression="zstd", index=False),
            MIRRORED: self.mirrored.to_parquet(compression="zstd", index=False),
            EMBEDDINGS: embeddings.getvalue(),
            METRICS: self.metrics.to_json().encode(),
        }

    def write(self, folder: Path) -> None:
        """Writes the files: either all of them replace what is there, or none does.

        Measurements of other predictions in the same folder are removed; of these, they are kept.

        Raises:
            OSError: One cannot be written.
        """
        write_together(folder, self.as_files(), stale_files(folder, self.metrics, self.plain))


@dataclass(frozen=True, eq=False)
class SavedEvaluation:
    """A checkpoint's predictions for one split, and the figures computed from them.

    It is in a folder, or was just made and is only in memory. Results computed from it are kept
    in it, so that none of a person's data outlives it.

    Attributes:
        origin: The folder, or the evaluation in memory.
        metrics: Its figures, and how they were made.
        plain: The table of predictions.
        mirrored: The same, averaged with those of the mirrored faces.
        digest: Changes with the content; identifies the evaluation in caches.
        mark: Follows its checkpoint's name where another one has the same.
    """

    origin: Path | Evaluation
    metrics: Metrics
    plain: pd.DataFrame
    mirrored: pd.DataFrame
    digest: str
    mark: str = ""
    _known: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    _chosen: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def hold(cls, evaluation: Evaluation) -> "SavedEvaluation":
        """An evaluation in memory."""
        return cls(
            evaluation,
            evaluation.metrics,
            evaluation.plain,
            evaluation.mirrored,
            secrets.token_hex(16),
        )

    @property
    def name(self) -> str:
        """The checkpoint's."""
        return self.metrics.checkpoint.name

    @property
    def split(self) -> str:
        """Which split was evaluated."""
        return self.metrics.data.split

    @property
    def vocabulary(self) -> Vocabulary:
        """The checkpoint's classes."""
        return self.metrics.vocabulary

    @property
    def truth(self) -> Vocabulary:
        """The label set that it was measured on."""
        return self.metrics.truth

    @property
    def title(self) -> str:
        """The checkpoint's name, and which part of it was switched off."""
        off = self.metrics.neutralized
        name = f"{self.name}, {self.mark}" if self.mark else self.name
        return f"{name} without its {off.upper()}" if off else name

    @property
    def of_own_images(self) -> bool:
        """Whether its faces are a person's own, so that published figures don't apply."""
        return self.metrics.data.labels_from is not None

    @property
    def is_comparable(self) -> bool:
        """Whether figures published for FER2013 apply: its labels, and faces held out from it."""
        held_out = self.split in SPLITS[1:] and self.metrics.data.held_out
        return self.truth is FER2013 and held_out and not self.of_own_images

    def remember(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What follows from this evaluation and somebody's choices; the last 32 are kept."""
        with _choosing:
            if key in self._chosen:
                self._chosen[key] = self._chosen.pop(key)  # the most recently used is last
                return self._chosen[key]
        result = compute()
        with _choosing:
            self._chosen[key] = result
            while len(self._chosen) > _MOST_CHOSEN:
                del self._chosen[next(iter(self._chosen))]
        return result

    def _once(self, key: Hashable, compute: Callable[[], T]) -> T:
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def rows(
        self,
        *,
        averaging: Averaging = "none",
        copies: bool = True,
        truth: Vocabulary | None = None,
    ) -> Rows:
        """The rows that have a label; the same object for the same choice.

        Args:
            averaging: What each answer is averaged over.
            copies: Keep images that are also in earlier splits.
            truth: The label set that counts; the saved one by default.

        Raises:
            DataError: Five crops were not measured, or their file is damaged.
            ConfigError: There is no such averaging.
        """
        counted = self.truth if truth is None else truth
        return self._once(
            (averaging, copies, counted), lambda: self._rows(averaging, copies, counted)
        )

    def _rows(self, averaging: Averaging, copies: bool, truth: Vocabulary) -> Rows:
        table = self._table(averaging)
        classes = self.vocabulary.classes
        if truth is self.truth:
            labels = table["label"].to_numpy()
        else:
            labels = translate(table[f"label_{truth.name}"].to_numpy(), truth, classes)
        every = Rows(
            table,
            classes,
            table[list(classes)].to_numpy(),
            labels,
            self.metrics.temperature,
        )
        return every.select((labels >= 0) & (copies | ~table["is_copy"].to_numpy()))

    def _table(self, averaging: Averaging) -> pd.DataFrame:
        if averaging not in AVERAGINGS:
            raise ConfigError(f"Averaging is {', '.join(AVERAGINGS)}, not '{averaging!s:.40}'.")
        if averaging != "five-crop":
            return self.mirrored if averaging == "flip" else self.plain
        found = self.five_crop()
        if found is None:
            raise DataError(
                f"Five crops of {self.title} on {self.split} were not measured; "
                "run `fervt evaluate --five-crop`."
            )
        classes = self.vocabulary.classes
        return self.plain.assign(**dict(zip(classes, found.probabilities.T, strict=True)))

    @property
    def averagings(self) -> tuple[Averaging, ...]:
        """What the answers can be averaged over: five crops only if they were measured.

        Raises:
            DataError: As `five_crop`.
        """
        return AVERAGINGS if self.five_crop() is not None else AVERAGINGS[:2]

    def ways(
        self, truth: Vocabulary | None = None, averagings: Sequence[Averaging] | None = None
    ) -> list[tuple[str, Rows]]:
        """The ways to evaluate, by name: with or without copies, and averaged; none is empty.

        Args:
            truth: As for `rows`.
            averagings: Which to include; all that were measured by default.

        Raises:
            DataError: As `five_crop`.
        """
        found = [
            (rule + _WAYS[way], self.rows(averaging=way, copies=copies, truth=truth))
            for copies, rule in ((True, "all faces"), (False, "without copies"))
            for way in (self.averagings if averagings is None else averagings)
        ]
        return [(way, rows) for way, rows in found if len(rows)]

    def embeddings(self) -> NDArray[np.float32]:
        """Class tokens (N, D), row by row as in `plain`.

        Raises:
            DataError: The file is missing, damaged or belongs to other rows.
        """
        if isinstance(self.origin, Evaluation):
            return self.origin.class_tokens.astype(np.float32)
        name = EMBEDDINGS
        arrays = read_arrays(self.origin / name, len(self.plain))
        if arrays is None:
            raise DataError(f"There is no '{name}' beside the predictions.")
        try:
            images, tokens = arrays["image_sha256"], arrays["class_token"]
        except KeyError as error:
            raise DataError(f"'{name}' is damaged.") from error
        if not np.array_equal(images, self.plain["image_sha256"].to_numpy(dtype=str)):
            raise DataError(f"'{name}' belongs to other rows than the predictions beside it.")
        found = tokens.astype(np.float32) if tokens.dtype.kind == "f" else np.empty(0, np.float32)
        if found.ndim != 2 or len(found) != len(images) or not np.isfinite(found).all():
            raise DataError(f"'{name}' contains no class tokens.")
        return found

    def evidence(self) -> Evidence | None:
        """The evidence for each row of `plain`; None if it wasn't measured.

        Raises:
            DataError: Its file is damaged, or belongs to another checkpoint or other rows.
        """
        return self._once("evidence", lambda: self._beside(read_evidence_file))

    def robustness(self) -> Robustness | None:
        """The answers on corrupted faces; None if they weren't measured.

        Raises:
            DataError: As `evidence`.
        """
        return self._once("robustness", lambda: self._beside(read_robustness))

    def parts(self) -> PartsReport | None:
        """What each part contributes; None if it wasn't measured.

        Raises:
            DataError: As `evidence`.
        """
        return self._once("parts", lambda: self._beside(read_parts))

    def five_crop(self) -> FiveCrop | None:
        """The answers averaged over five crops; None if they weren't measured.

        Raises:
            DataError: As `evidence`.
        """
        return self._once("five_crop", lambda: self._beside(read_five_crop))

    def keep(self, found: Evidence | Robustness | PartsReport | FiveCrop) -> None:
        """Adds what was measured for this evaluation after it was made, in memory only."""
        keys = {
            Evidence: "evidence",
            Robustness: "robustness",
            PartsReport: "parts",
            FiveCrop: "five_crop",
        }
        self._known[keys[type(found)]] = found

    def _beside(self, read: Callable[..., T | None]) -> T | None:
        if isinstance(self.origin, Evaluation) or self.metrics.neutralized is not None:
            return None
        return read_beside(read, self.origin, self.metrics, self.plain)

    @property
    def label_set(self) -> str:
        """Title of the labels that count as right; "" for a person's own."""
        return "" if self.of_own_images else self.truth.title

    def as_files(self) -> dict[str, bytes]:
        """The content of its files by name, including other measurements.

        Raises:
            DataError: One no longer exists, or is damaged.
        """
        measured = self.evidence(), self.robustness(), self.parts(), self.five_crop()
        more = {
            name: found.as_bytes()
            for name, found in zip(MORE_FILES, measured, strict=True)
            if found is not None
        }
        if isinstance(self.origin, Evaluation):
            return self.origin.as_files() | more
        try:
            return {name: (self.origin / name).read_bytes() for name in FILES} | more
        except OSError as error:
            raise DataError("The files of this evaluation no longer exist.") from error

    def write(self, folder: Path) -> list[Path]:
        """Writes those files as `Evaluation.write` does; returns their paths.

        Raises:
            DataError: As `as_files`.
            OSError: One cannot be written.
        """
        files = self.as_files()
        write_together(folder, files, stale_files(folder, self.metrics, self.plain))
        return [folder / name for name in files]

    def layout(self, method: Literal["pca", "tsne"]) -> NDArray[np.float32]:
        """The class tokens in a plane (N, 2), see `metrics.project`.

        Raises:
            DataError: As `embeddings`, or there are too few rows.
        """
        return self._once(method, lambda: project(self.embeddings(), method))


def read_evaluation(folder: Path) -> SavedEvaluation:
    """Reads and checks the files of a saved evaluation.

    Raises:
        DataError: A file is missing, damaged, or doesn't fit the others.
    """
    finish_writes(folder)
    metrics = read_metrics(folder)
    plain, mirrored = (
        read_predictions(folder / name, metrics.vocabulary) for name in (PREDICTIONS, MIRRORED)
    )
    if not plain["image_sha256"].equals(mirrored["image_sha256"]):
        shown = f"{folder.parent.name}/{folder.name}"
        raise DataError(f"The two tables of '{shown}' have different images.")
    digest = "-".join(file_sha256(folder / n)[:16] for n in (METRICS, PREDICTIONS, MIRRORED))
    return SavedEvaluation(folder, metrics, plain, mirrored, digest)
