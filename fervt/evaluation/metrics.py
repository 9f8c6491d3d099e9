"""The content of `metrics.json` as types: one evaluation's figures and how they were made.

The file has the fields of `Metrics` by their names, and nothing else reads or writes it.
"""

import json
import sys
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from fervt.errors import DataError
from fervt.labels import VOCABULARIES, Vocabulary, vocabulary
from fervt.metrics import Scores

Part = Literal["gwa", "gnn"]
"""A part of the model that can be switched off."""

FILE_NAME = "metrics.json"


@dataclass(frozen=True)
class EvaluatedCheckpoint:
    """Which checkpoint was evaluated.

    Attributes:
        name: Its file's name without the suffix.
        sha256: Hex SHA-256 of its file.
    """

    name: str
    sha256: str


@dataclass(frozen=True)
class EvaluatedData:
    """Which faces it was evaluated on.

    Attributes:
        source: Name of the file that they come from.
        content_hash: Hash of the prepared file's rows.
        split: Which of its splits.
        split_rule: How the splits came about.
        labels_from: "folders" for a person's own images, labeled by their folders' names.
        held_out: False where the checkpoint may have been trained or chosen on these faces, since
            its training data was split in another way.
    """

    source: str
    content_hash: str
    split: str
    split_rule: str
    labels_from: Literal["folders"] | None = None
    held_out: bool = True


@dataclass(frozen=True)
class ScoresByCopies:
    """Scores with and without images that are also in earlier splits.

    Attributes:
        standard: Of all rows.
        without_copies: Of the rows that are no copies; None if there is none.
    """

    standard: Scores
    without_copies: Scores | None


@dataclass(frozen=True)
class PartsAtWork:
    """Whether the model's parts carry information; None if it lacks the part.

    Attributes:
        gwa_std_over_cells: Standard deviation of GWA's weights over a face's cells.
        gwa_std_over_images: Standard deviation of a cell's weight over faces.
        gwa_max: The largest weight; the mean over cells is 1.
        gnn_readout_accuracy: Accuracy of the graph vector alone, 0..1.
        gat_relative_entropy: Entropy of graph attention as a share of its maximum, 0..1.
    """

    gwa_std_over_cells: float | None = None
    gwa_std_over_images: float | None = None
    gwa_max: float | None = None
    gnn_readout_accuracy: float | None = None
    gat_relative_entropy: float | None = None


@dataclass(frozen=True)
class Metrics:
    """The figures of a saved evaluation, and how they were made.

    Attributes:
        version: Of fervt.
        checkpoint: Which checkpoint.
        data: Which faces.
        classes: The checkpoint's classes, in the order of the tables' columns.
        labels: Name of the label set that is the truth.
        labels_seen: Names of the label sets that the checkpoint was trained on.
        temperature: The checkpoint's, above 0.
        neutralized: The part that was switched off; None for the whole model.
        standard: Scores of all rows.
        without_copies: Scores without copies of earlier splits; None if no row is left.
        tta: The same two, averaged with the predictions for the mirrored faces.
        parts: What GWA, GAT and GNN contribute.
    """

    version: str
    checkpoint: EvaluatedCheckpoint
    data: EvaluatedData
    classes: tuple[str, ...]
    labels: str
    labels_seen: tuple[str, ...]
    temperature: float
    neutralized: Part | None
    standard: Scores
    without_copies: Scores | None
    tta: ScoresByCopies
    parts: PartsAtWork

    @property
    def vocabulary(self) -> Vocabulary:
        """The checkpoint's classes."""
        return next(v for v in VOCABULARIES.values() if v.classes == self.classes)

    @property
    def truth(self) -> Vocabulary:
        """The label set that counts as right."""
        return vocabulary(self.labels)

    @property
    def saw_votes(self) -> bool:
        """Whether the checkpoint was trained with FER+'s votes."""
        return "ferplus" in self.labels_seen

    def to_json(self) -> str:
        """The content of `metrics.json`."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Metrics":
        """Reads and checks what `to_json` wrote.

        Raises:
            DataError: Something is missing, of the wrong kind or contradicts the rest; the message
                is the end of a sentence about the file.
        """
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError("are damaged: they are not JSON.") from error
        if isinstance(raw, dict) and "neutralised" in raw:  # the name until version 0.1.0
            raw.setdefault("neutralized", raw.pop("neutralised"))
        found = _read(cls, raw, "")
        _check(found)
        return found


def read_metrics(folder: Path) -> Metrics:
    """Reads the metrics of a saved evaluation.

    Args:
        folder: Of the evaluation.

    Raises:
        DataError: There are none, or they are damaged.
    """
    shown = f"{folder.parent.name}/{folder.name}"
    try:
        text = (folder / FILE_NAME).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"There is no saved evaluation '{shown}'.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"The saved metrics '{shown}' cannot be read.") from error
    try:
        return Metrics.from_json(text)
    except DataError as error:
        raise DataError(f"The saved metrics '{shown}' {error}") from error


def _read(kind: Any, raw: Any, name: str) -> Any:
    """A JSON value as its field's type; `name` is the path to it, for messages."""
    if is_dataclass(kind):
        return _read_fields(kind, raw, name)
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if raw is None else _read(inside[0], raw, name)
    if origin is tuple:
        _expect(isinstance(raw, list), name, "must be a list")
        kinds = inside[:1] * len(raw) if inside[-1] is ... else inside
        _expect(len(raw) == len(kinds), name, f"must have {len(kinds)} values")
        return tuple(_read(k, each, name) for k, each in zip(kinds, raw, strict=True))
    if origin is dict:
        _expect(isinstance(raw, dict), name, "must be an object")
        return {key: _read(inside[1], each, f"{name}.{key}") for key, each in raw.items()}
    if origin is Literal:
        _expect(raw in inside, name, f"must be one of {', '.join(inside)}")
    elif kind is float:
        finite = type(raw) in (int, float) and abs(raw) <= sys.float_info.max
        _expect(finite, name, "must be a finite number")
        return float(raw)
    elif kind is int:
        _expect(type(raw) is int and raw >= 0, name, "must be a whole number, not negative")
        _expect(raw < 2**53, name, "is too large to be a count")
    else:
        _expect(type(raw) is kind, name, "must be a string")
    return raw


def _read_fields(kind: Any, raw: Any, name: str) -> Any:
    _expect(isinstance(raw, dict), name, "must be an object")
    types, found = get_type_hints(kind), {}
    for item in fields(kind):
        at = f"{name}.{item.name}" if name else item.name
        if item.name in raw:
            found[item.name] = _read(types[item.name], raw[item.name], at)
        elif item.default is MISSING:
            raise DataError(f"lack '{at}'.")
    return kind(**found)


def _check(metrics: Metrics) -> None:
    """Checks what types cannot say.

    Raises:
        DataError: As `Metrics.from_json`.
    """
    known = [v.classes for v in VOCABULARIES.values()]
    _expect(metrics.classes in known, "classes", "must be those of FER2013 or FER+")
    for name, labels in (("labels", (metrics.labels,)), ("labels_seen", metrics.labels_seen)):
        _expect(set(labels) <= VOCABULARIES.keys(), name, f"must be {' or '.join(VOCABULARIES)}")
    _expect(metrics.temperature > 0, "temperature", "must be above 0")
    for name, scores in (
        ("standard", metrics.standard),
        ("without_copies", metrics.without_copies),
        ("tta.standard", metrics.tta.standard),
        ("tta.without_copies", metrics.tta.without_copies),
    ):
        if scores is None:
            continue
        same = tuple(scores.per_class) == metrics.classes
        _expect(same, f"{name}.per_class", "must name the classes in their order")
        sizes = [len(metrics.classes)] * len(metrics.classes)
        square = [len(row) for row in scores.confusion] == sizes
        _expect(square, f"{name}.confusion", "must have a row and a column for each class")
        total = sum(map(sum, scores.confusion))
        _expect(0 < scores.n == total, f"{name}.confusion", "must count each row once")
        low, high = scores.accuracy_interval_95
        inside = 0 <= low <= scores.accuracy <= high <= 1
        _expect(inside, f"{name}.accuracy", "must be a share within its interval")


def _expect(holds: bool, name: str, must: str) -> None:
    if not holds:
        raise DataError(f"are damaged: {f'{name!r} {must}' if name else 'they are not an object'}.")
