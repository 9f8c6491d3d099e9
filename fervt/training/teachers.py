"""Teachers: other models' predictions for the training faces, used as soft targets.

Knowledge distillation (Hinton et al., 2015), in two ways: with answers that were saved once, by
evaluating the teachers on Training; or by running a checkpoint on every training view
(Beyer et al., 2022: the same crop, the same augmentation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.checkpoint import load_checkpoint
from fervt.data.prepared import PreparedData
from fervt.data.transforms import Preprocess
from fervt.errors import ConfigError, DataError
from fervt.evaluation.saved import read_evaluation
from fervt.files import file_sha256
from fervt.labels import Vocabulary


@dataclass(frozen=True, eq=False)
class Teaching:
    """The teachers' predictions for M faces.

    Attributes:
        answers: (M, C) float32, probabilities, the mean over the teachers, each averaged with
            its answers for the mirrored face.
        labels_seen: Label sets that any of the teachers was trained on.
        digests: One per teacher, which changes with its answers.
    """

    answers: NDArray[np.float32]
    labels_seen: frozenset[str]
    digests: tuple[str, ...]


def ask_teachers(folders: Sequence[Path], data: PreparedData, classes: Vocabulary) -> Teaching:
    """Reads teachers' predictions from their saved evaluations.

    Args:
        folders: One saved evaluation per teacher, of a split that contains all of the faces.
        data: M rows.
        classes: The classes of the student.

    Raises:
        DataError: An evaluation is damaged, has a part switched off, has other classes, or lacks a
            face.
    """
    names = list(classes.classes)
    saved = [read_evaluation(folder) for folder in folders]
    answers = np.zeros((len(data), len(names)), dtype=np.float32)
    for folder, teacher in zip(folders, saved, strict=True):
        if teacher.metrics.neutralized:
            raise DataError(f"The teacher '{folder.name}' was evaluated with a part switched off.")
        table = teacher.mirrored.drop_duplicates("row").set_index("row")
        if not set(names) <= set(table.columns):
            raise DataError(f"The teacher '{folder.name}' does not know {classes.title}'s classes.")
        found = table.reindex(data.row)
        if (found["image_sha256"].to_numpy() != data.sha256).any():
            raise DataError(
                f"The teacher '{folder.name}' lacks predictions for some training faces."
            )
        answers += found[names].to_numpy(dtype=np.float32) / len(saved)
    seen = frozenset(label for teacher in saved for label in teacher.metrics.labels_seen)
    return Teaching(answers, seen, tuple(teacher.digest for teacher in saved))


class SameViewTeacher:
    """A checkpoint that predicts the views that its student learns from."""

    def __init__(
        self,
        checkpoint: Path,
        classes: Vocabulary,
        preprocess: Preprocess,
        device: torch.device,
        *,
        compiled: bool = False,
    ) -> None:
        """Loads the checkpoint.

        Args:
            checkpoint: Its file.
            classes: The student's.
            preprocess: The student's.
            device: Where both compute.
            compiled: Whether to compile its network.

        Raises:
            ConfigError: It has different classes, or sees different windows of a face.
            CheckpointError: The file cannot be used.
        """
        model, info = load_checkpoint(checkpoint)
        if info.config.classes is not classes:
            raise ConfigError(f"'{checkpoint.name}' does not know {classes.title}'s classes.")
        if (info.preprocess.image_size, info.preprocess.crop) != (
            preprocess.image_size,
            preprocess.crop,
        ):
            raise ConfigError(
                f"'{checkpoint.name}' sees {info.preprocess.image_size} pixels of a crop of "
                f"{info.preprocess.crop:.3f}; a model distilled from it must, too."
            )
        self.labels_seen = frozenset(info.labels_seen)
        self.digest = file_sha256(checkpoint)
        self._temperature = info.temperature
        # Both normalize gray values; one may have been made with another copy of the data.
        self._scale = preprocess.std / info.preprocess.std
        self._shift = (preprocess.mean - info.preprocess.mean) / info.preprocess.std
        model.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._model = torch.compile(model) if compiled else model

    def answer(self, images: Tensor) -> Tensor:
        """Its calibrated probabilities (B, C) float32 for the student's input (B, 3, S, S)."""
        with torch.no_grad():
            logits = self._model(images * self._scale + self._shift).logits
            return (logits.float() / self._temperature).softmax(dim=1)
