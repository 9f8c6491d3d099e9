"""Teachers: other models' predictions for the training faces, used as soft targets.

Knowledge distillation (Hinton et al., 2015), in two ways: with answers that were saved once, by
evaluating the teachers on Training; or by asking a checkpoint about every view that is learned from
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
        answers: (M, C) float32, probabilities, the mean over the teachers; each is also asked of
            the mirrored face.
        labels_seen: Label sets that any of the teachers was trained on.
        digests: One a teacher, which changes with what it says.
    """

    answers: NDArray[np.float32]
    labels_seen: frozenset[str]
    digests: tuple[str, ...]


def ask_teachers(folders: Sequence[Path], data: PreparedData, classes: Vocabulary) -> Teaching:
    """Reads teachers' predictions from their saved evaluations.

    Args:
        folders: One saved evaluation a teacher, of a split that holds all of the faces.
        data: M rows.
        classes: The classes of the model that is taught.

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
            raise DataError(f"The teacher '{folder.name}' was not asked about all training faces.")
        answers += found[names].to_numpy(dtype=np.float32) / len(saved)
    seen = frozenset(label for teacher in saved for label in teacher.metrics.labels_seen)
    return Teaching(answers, seen, tuple(teacher.digest for teacher in saved))


class SameViewTeacher:
    """A checkpoint that is asked about the views that its pupil learns from."""

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
            classes: The pupil's.
            preprocess: The pupil's.
            device: Where both compute.
            compiled: Whether to compile its network.

        Raises:
            ConfigError: It has other classes, or sees other windows of a face.
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
                f"{info.preprocess.crop:.3f}; to be distilled from it, a model must, too."
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
        """Its calibrated probabilities (B, C) float32 for the pupil's input (B, 3, S, S)."""
        with torch.no_grad():
            logits = self._model(images * self._scale + self._shift).logits
            return (logits.float() / self._temperature).softmax(dim=1)
