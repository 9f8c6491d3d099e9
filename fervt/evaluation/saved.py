"""A saved evaluation read as a whole, and the figures of the rows that are looked at.

Pages and reports show the same evaluation in several ways: with or without mirrored faces, with or
without copies of earlier splits. All of them ask here, so the same choice gives the same figures.
"""

import json
import math
import secrets
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fervt.errors import DataError
from fervt.evaluation.run import Evaluation, Part, read_predictions
from fervt.files import file_sha256
from fervt.images import safe_name
from fervt.labels import FER2013, FERPLUS, SPLITS, Vocabulary, expression, vocabulary
from fervt.metrics import (
    Curve,
    join_rows,
    people_on_errors,
    precision_recall_curves,
    project,
    rescale,
    roc_curves,
    score,
    to_common_classes,
)
from fervt.resources import EVALUATIONS

T = TypeVar("T")

LABELS_FROM_FOLDERS = "folders"
"""As `metrics["data"]["labels_from"]`: a person's own images, labelled by their folders' names."""

_METRICS_NEEDED = ("checkpoint", "data", "labels", "labels_seen", "temperature")
_TEXTS_NEEDED = {
    "checkpoint": ("name", "sha256"),
    "data": ("source", "content_hash", "split", "split_rule"),
}


@dataclass(frozen=True, eq=False)
class Rows:
    """N rows of a saved evaluation, measured on one label set.

    Attributes:
        table: The rows, as in the file.
        classes: C classes that are looked at, in the order of `probabilities`.
        probabilities: (N, C) float32, before temperature scaling.
        labels: (N,) int64, the truth as indices into `classes`.
        temperature: The checkpoint's.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    temperature: float

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.labels)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) the most probable class."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether it is the label."""
        return self.predicted == self.labels

    @cached_property
    def calibrated(self) -> NDArray[np.float32]:
        """(N, C) after the checkpoint's temperature, as the other pages show probabilities."""
        return rescale(self.probabilities, self.temperature)

    @cached_property
    def figures(self) -> dict[str, Any]:
        """All of `metrics.score`.

        Raises:
            DataError: There are no rows.
        """
        return score(self.probabilities, self.labels, self.classes, self.temperature)

    @cached_property
    def roc(self) -> list[Curve | None]:
        """C curves, see `metrics.roc_curves`."""
        return roc_curves(self.probabilities, self.labels)

    @cached_property
    def precision_recall(self) -> list[Curve | None]:
        """C curves, see `metrics.precision_recall_curves`."""
        return precision_recall_curves(self.probabilities, self.labels)

    @property
    def has_votes(self) -> bool:
        """Whether a majority of annotators is known for any row."""
        return bool((self.table["label_ferplus"] >= 0).any())

    @cached_property
    def people(self) -> NDArray[np.int64]:
        """(N,) whom FER+'s annotators side with in an error, see `metrics.people_on_errors`."""
        majority = translate(self.table["label_ferplus"].to_numpy(), FERPLUS, self.classes)
        return people_on_errors(self.predicted, self.labels, majority)

    def select(self, rows: NDArray[Any]) -> "Rows":
        """The rows of a mask (N,) bool or an index (M,), in that order."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Rows(
            self.table.iloc[index],
            self.classes,
            self.probabilities[index],
            self.labels[index],
            self.temperature,
        )


@dataclass(frozen=True, eq=False)
class SavedEvaluation:
    """What a checkpoint said of one split, and the figures that were made with it.

    It lies in a folder, or was just made and is in memory alone. What is computed from it is kept
    in it, so that nothing of a person's data outlives it.

    Attributes:
        origin: The folder, or the evaluation in memory.
        metrics: The content of metrics.json.
        plain: The table of predictions.
        mirrored: The same, averaged with those of the mirrored faces.
        digest: Changes with the content; names the evaluation in caches.
    """

    origin: Path | Evaluation
    metrics: dict[str, Any]
    plain: pd.DataFrame
    mirrored: pd.DataFrame
    digest: str
    _known: dict[Hashable, Any] = field(default_factory=dict, repr=False)

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
        return self.metrics["checkpoint"]["name"]

    @property
    def split(self) -> str:
        """Which split was evaluated."""
        return self.metrics["data"]["split"]

    @property
    def vocabulary(self) -> Vocabulary:
        """The checkpoint's classes."""
        return next(v for v in (FERPLUS, FER2013) if set(v.classes) <= set(self.plain.columns))

    @property
    def truth(self) -> Vocabulary:
        """The label set that it was measured on."""
        return vocabulary(self.metrics["labels"])

    @property
    def neutralised(self) -> str | None:
        """The part that was switched off, as in `evaluate.run_model`; None for the whole model."""
        return self.metrics.get("neutralised")

    @property
    def of_own_images(self) -> bool:
        """Whether its faces are a person's own, so that other people's figures say nothing."""
        return self.metrics["data"].get("labels_from") == LABELS_FROM_FOLDERS

    def remember(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What was computed from this evaluation, once."""
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def rows(
        self, *, tta: bool = False, copies: bool = True, truth: Vocabulary | None = None
    ) -> Rows:
        """The rows that have a label; the same object for the same choice.

        Args:
            tta: Average with the mirrored faces.
            copies: Keep images that also lie in earlier splits.
            truth: The label set that counts; the saved one by default.
        """
        counted = self.truth if truth is None else truth
        return self.remember((tta, copies, counted), lambda: self._rows(tta, copies, counted))

    def _rows(self, tta: bool, copies: bool, truth: Vocabulary) -> Rows:
        table = self.mirrored if tta else self.plain
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
            float(self.metrics["temperature"]),
        )
        return every.select((labels >= 0) & (copies | ~table["is_copy"].to_numpy()))

    def ways(self, truth: Vocabulary | None = None) -> list[tuple[str, Rows]]:
        """The ways to count, by name: with and without copies and mirrored faces; none is empty."""
        found = [
            (rule + way, self.rows(tta=tta, copies=copies, truth=truth))
            for copies, rule in ((True, "all faces"), (False, "without copies"))
            for tta, way in ((False, ""), (True, ", mirrored too"))
        ]
        return [(way, rows) for way, rows in found if len(rows)]

    def embeddings(self) -> NDArray[np.float32]:
        """Class tokens (N, D), row by row as in `plain`.

        Raises:
            DataError: The file is missing, damaged or belongs to other rows.
        """
        if isinstance(self.origin, Evaluation):
            return self.origin.class_tokens.astype(np.float32)
        name = "embeddings.npz"
        try:
            with np.load(self.origin / name, allow_pickle=False) as file:
                images, tokens = file["image_sha256"], file["class_token"]
        except FileNotFoundError as error:
            raise DataError(f"There is no '{name}' beside the predictions.") from error
        except Exception as error:  # each way of being damaged has its own errors
            raise DataError(f"'{name}' is damaged.") from error
        if not np.array_equal(images, self.plain["image_sha256"].to_numpy(dtype=str)):
            raise DataError(f"'{name}' belongs to other rows than the predictions beside it.")
        return tokens.astype(np.float32)

    def as_files(self) -> dict[str, bytes]:
        """The content of its files by name.

        Raises:
            DataError: One is not there any more.
        """
        if isinstance(self.origin, Evaluation):
            return self.origin.as_files()
        names = ("predictions.parquet", "tta.parquet", "embeddings.npz", "metrics.json")
        try:
            return {name: (self.origin / name).read_bytes() for name in names}
        except OSError as error:
            raise DataError("The files of this evaluation are not there any more.") from error

    def layout(self, method: Literal["pca", "tsne"]) -> NDArray[np.float32]:
        """The class tokens in a plane (N, 2), see `metrics.project`.

        Raises:
            DataError: As `embeddings`, or there are too few rows.
        """
        return self.remember(method, lambda: project(self.embeddings(), method))


def translate(labels: NDArray[Any], of: Vocabulary, into: Sequence[str]) -> NDArray[np.int64]:
    """Labels of a vocabulary as indices into any classes that mean the same; -1 = no such class."""
    meanings = [expression(name) for name in into]
    table = [meanings.index(e) if e in meanings else -1 for e in map(expression, of.classes)]
    return np.array([*table, -1])[labels]


def read_evaluation(folder: Path) -> SavedEvaluation:
    """Reads and checks the files of a saved evaluation.

    Raises:
        DataError: A file is missing, damaged, or doesn't fit the others.
    """
    path = folder / "metrics.json"
    shown = f"{folder.parent.name}/{folder.name}"
    try:
        metrics = json.loads(path.read_text())
        missing = [key for key in _METRICS_NEEDED if key not in metrics]
        if missing:
            raise DataError(f"The saved metrics '{shown}' lack '{missing[0]}'.")
        for name in (metrics["labels"], *metrics["labels_seen"]):
            vocabulary(name)
        texts = [metrics[part][name] for part, names in _TEXTS_NEEDED.items() for name in names]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a text that is none")
        if metrics.get("neutralised") not in (None, *get_args(Part)):
            raise ValueError("a part that is none")
        if not 0 < float(metrics["temperature"]) < math.inf:
            raise ValueError("a temperature that scales nothing")
    except FileNotFoundError as error:
        raise DataError(f"There is no saved evaluation '{shown}'.") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"The saved metrics '{shown}' are damaged.") from error
    tables = {n: read_predictions(folder / f"{n}.parquet") for n in ("predictions", "tta")}
    plain, mirrored = tables.values()
    if not plain["image_sha256"].equals(mirrored["image_sha256"]):
        raise DataError(f"The two tables of '{shown}' hold different images.")
    digest = "-".join(file_sha256(folder / f"{name}.parquet")[:16] for name in tables)
    return SavedEvaluation(folder, metrics, plain, mirrored, f"{file_sha256(path)[:16]}-{digest}")


def saved_folders(name: str) -> dict[str, Path]:
    """Where the evaluations of a shipped checkpoint lie, by split; those of the whole model."""
    found = {}
    for folder, metrics in _each_saved(name):
        if not metrics.get("neutralised"):
            found[str(metrics.get("data", {}).get("split", folder.name))] = folder
    return {split: found[split] for split in reversed(SPLITS) if split in found}


def saved_ablations(name: str, split: str) -> dict[str, dict[str, Any]]:
    """The saved metrics of a shipped checkpoint with a part switched off, by that part."""
    return {
        metrics["neutralised"]: metrics
        for _, metrics in _each_saved(name)
        if metrics.get("neutralised") and metrics.get("data", {}).get("split") == split
    }


def _each_saved(name: str) -> list[tuple[Path, dict[str, Any]]]:
    found = []
    for path in sorted((EVALUATIONS / safe_name(name)).glob("*/metrics.json")):
        try:
            metrics = json.loads(path.read_text())
        except ValueError as error:
            where = f"{name}/{path.parent.name}"
            raise DataError(f"The saved metrics '{where}' are damaged.") from error
        found.append((path.parent, metrics))
    return found


def find_evaluation(name_or_folder: str, split: str) -> SavedEvaluation:
    """Reads a shipped checkpoint's evaluation on a split, or the one in a folder.

    Args:
        name_or_folder: A name without a folder before it is first looked for among those shipped.
        split: Of a shipped checkpoint.

    Raises:
        DataError: There is none, or it is damaged.
    """
    folder = Path(name_or_folder)
    folders = saved_folders(name_or_folder) if folder.name == name_or_folder else {}
    if split in folders:
        return read_evaluation(folders[split])
    if (folder / "metrics.json").is_file():
        return read_evaluation(folder)
    known = f"; saved are {', '.join(folders)}" if folders else ""
    raise DataError(f"'{name_or_folder}' has no saved evaluation on {split}{known}.")


@dataclass(frozen=True, eq=False)
class Joined:
    """K evaluations on the same M rows, with the same truth and the same classes.

    Attributes:
        rows: K, the first is the one that the others are compared with.
        left_out: Classes that not all of them know, as people call them.
        longest: Rows of the longest evaluation before they were joined.
    """

    rows: tuple[Rows, ...]
    left_out: tuple[str, ...]
    longest: int


def join_evaluations(
    evaluations: Sequence[SavedEvaluation], truth: Vocabulary, *, tta: bool, copies: bool
) -> Joined:
    """Joins evaluations by their images, on their common classes.

    Raises:
        DataError: Too few rows match, their labels differ, or no class is common to all.
    """
    each = [e.rows(tta=tta, copies=copies, truth=truth) for e in evaluations]
    meanings = [[expression(name) for name in rows.classes] for rows in each]
    common = [m for m in meanings[0] if all(m in others for others in meanings)]
    names = tuple(c for c, m in zip(each[0].classes, meanings[0], strict=True) if m in common)
    left_out = {m.name for others in meanings for m in others if m not in common}
    kept = []
    for rows, own in zip(each, meanings, strict=True):
        order = [rows.classes[own.index(m)] for m in common]
        index = np.full(len(rows.classes), -1)
        index[[rows.classes.index(c) for c in order]] = np.arange(len(order))
        labels = index[rows.labels]
        probabilities = rows.probabilities
        if len(common) < len(rows.classes) or tuple(order) != rows.classes:
            probabilities = to_common_classes(probabilities, rows.classes, order)
        kept.append(
            Rows(rows.table, names, probabilities, labels, rows.temperature).select(labels >= 0)
        )
    positions = join_rows([rows.table for rows in kept])
    return Joined(
        tuple(rows.select(at) for rows, at in zip(kept, positions, strict=True)),
        tuple(sorted(left_out)),
        max(map(len, kept)),
    )
