"""A run's data for training and selection: faces, targets and weights, on their device."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.data.prepared import PreparedData
from fervt.data.transforms import Preprocess
from fervt.errors import ConfigError, DataError
from fervt.labels import FERPLUS
from fervt.model import FERVTConfig
from fervt.training.settings import TrainConfig
from fervt.training.teachers import ask_teachers


@dataclass(frozen=True, eq=False)
class FitFaces:
    """Faces for training and faces for selection.

    Attributes:
        faces: (M, 48, 48) uint8, of Training.
        targets: (M, C) float32, rows sum to 1.
        votes: (M, 8) float32, FER+'s votes; rows sum to 1, or to 0 where none count.
        class_weights: (C,) float32.
        public_faces: (P, 48, 48) uint8, of PublicTest.
        public_labels: (P,) class indices.
        preprocess: From a face to the model's input, with Training's mean and standard deviation.
        labels_seen: The label sets that the targets come from.
        teachers: Digests of the teachers' saved evaluations.
    """

    faces: Tensor
    targets: Tensor
    votes: Tensor
    class_weights: Tensor
    public_faces: NDArray[np.uint8]
    public_labels: NDArray[np.int64]
    preprocess: Preprocess
    labels_seen: frozenset[str]
    teachers: tuple[str, ...]

    def to(self, device: torch.device) -> "FitFaces":
        """The same, with a training step's inputs on a device."""
        names = ("faces", "targets", "votes", "class_weights")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def gather(
    data: PreparedData, model: FERVTConfig, config: TrainConfig, teachers: Sequence[Path] = ()
) -> FitFaces:
    """Picks the faces and makes the targets.

    Raises:
        ConfigError: Settings, model and data don't fit together.
        DataError: A split or its labels are missing.
    """
    if bool(teachers) != bool(config.teacher_weight):
        raise ConfigError("--teacher and a --teacher-weight above 0 need each other.")
    for name in ("equivariance_weight", "relevance_weight", "counterfactual_weight"):
        if getattr(config, name) and not model.use_gwa:
            raise ConfigError(f"{name} needs a model with GWA.")
    if config.freeze_gwa and not model.use_gwa:
        raise ConfigError("freeze_gwa needs a model with GWA.")
    if config.freeze_gwa and (config.equivariance_weight or config.relevance_weight):
        raise ConfigError(
            "With freeze_gwa, equivariance_weight and relevance_weight have nothing to teach: "
            "set both to 0."
        )
    if config.graph_weight and not model.use_gnn:
        raise ConfigError("graph_weight needs a model with a GNN.")
    training, public = data.split("Training"), data.split("PublicTest")
    if config.drop_copies:
        training = training.select(training.other_splits == "")
    rows, _, targets = targets_for(training, model)
    weights = class_weights(targets, config.class_balance)
    seen = {model.vocabulary}
    digests: tuple[str, ...] = ()
    if teachers:
        taught = ask_teachers(teachers, training.select(rows), model.classes)
        targets = targets + np.float32(config.teacher_weight) * (taught.answers - targets)
        seen |= taught.labels_seen
        digests = tuple(taught.digests)
    votes = training.ferplus_distribution[rows]
    if config.votes_weight:
        if model.classes is FERPLUS or not votes.any():
            raise ConfigError("votes_weight needs FER2013's classes and data with FER+'s votes.")
        seen.add(FERPLUS.name)
    public_rows, public_labels, _ = targets_for(public, model)
    gray = training.images.astype(np.float64) / 255
    return FitFaces(
        faces=torch.from_numpy(training.images[rows]),
        targets=torch.from_numpy(targets),
        votes=torch.from_numpy(votes),
        class_weights=torch.from_numpy(weights),
        public_faces=public.images[public_rows],
        public_labels=public_labels,
        preprocess=Preprocess(model.image_size, float(gray.mean()), float(gray.std()), config.crop),
        labels_seen=frozenset(seen),
        teachers=digests,
    )


def targets_for(
    data: PreparedData, config: FERVTConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows with a label in the configuration's vocabulary.

    Returns:
        rows: (M,) indices into `data`; labels: (M,) class indices; targets: (M, C) float32, FER+'s
        votes as distributions for the FER+ vocabulary, one-hot rows for FER2013.
    """
    if config.classes is FERPLUS:
        labels, targets = data.label_ferplus, data.ferplus_distribution
    else:
        labels = data.label_fer2013
        targets = np.eye(len(config.classes), dtype=np.float32)[np.maximum(labels, 0)]
    rows = np.flatnonzero(labels >= 0)
    if not len(rows):
        raise DataError(f"The data has no {config.classes.title} labels.")
    return rows, labels[rows], targets[rows]


def class_weights(targets: np.ndarray, power: float) -> np.ndarray:
    """Each class's weight in the loss: its share of the targets to the power of -`power`.

    Returns:
        (C,) float32, whose mean over the targets (M, C) is 1; 0 for a class without any.
    """
    shares = targets.mean(axis=0, dtype=np.float64)
    weights = np.where(shares > 0, np.maximum(shares, 1e-9) ** -power, 0)
    return (weights / (weights * shares).sum()).astype(np.float32)
