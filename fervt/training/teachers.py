"""Teachers: other models' predictions for the training faces, used as soft targets.

Knowledge distillation (Hinton et al., 2015) with answers that were saved once, by evaluating the
teachers on Training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fervt.data.prepared import PreparedData
from fervt.errors import DataError
from fervt.evaluation.saved import read_evaluation
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
