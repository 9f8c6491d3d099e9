"""A tiny data set and a tiny model, drawn here, for tests that train and evaluate."""

from pathlib import Path

import numpy as np
import torch

from fervt.checkpoint import CheckpointInfo, save_checkpoint
from fervt.data.prepared import PreparedData
from fervt.data.transforms import Preprocess
from fervt.model import FERVTGNN, FERVTConfig

CONFIG = FERVTConfig(
    image_size=28, stem="face-fast", width=16, embed_dim=16, heads=2, depth=1, gwa_dim=8,
    gwa_heads=2, node_dim=8, gat_heads=2,
)  # fmt: skip


def save_tiny(
    path: Path,
    seed: int = 0,
    temperature: float = 1.0,
    config: FERVTConfig = CONFIG,
    crop: float = Preprocess.crop,
) -> Path:
    """A checkpoint of random weights, at this path or as tiny.safetensors in this folder."""
    if path.is_dir():
        path = path / "tiny.safetensors"
    torch.manual_seed(seed)
    info = CheckpointInfo(config, Preprocess(28, 0.4, 0.25, crop), temperature=temperature)
    save_checkpoint(path, FERVTGNN(config), info)
    return path


def draw_faces(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Faces (N, 48, 48) whose bright bar's place tells the label, under noise."""
    random = np.random.default_rng(seed)
    faces = random.integers(0, 90, (len(labels), 48, 48), dtype=np.uint8)
    for face, label in zip(faces, labels, strict=True):
        face[6 * label + 2 : 6 * label + 6, 8:40] += 150
    return faces


def tiny_data(per_class: int = 6, seed: int = 0) -> PreparedData:
    """Every FER2013 class in every split, FER+ votes, and one copy across splits."""
    counts = {"Training": 2 * per_class, "PublicTest": per_class, "PrivateTest": per_class}
    labels = np.concatenate([np.repeat(np.arange(7), n) for n in counts.values()])
    usage = np.concatenate([np.repeat(name, 7 * n) for name, n in counts.items()])
    images = draw_faces(labels, seed)
    images[np.flatnonzero(usage == "PrivateTest")[0]] = images[0]
    votes = np.zeros((len(labels), 10), np.uint8)
    ferplus = np.array([4, 5, 6, 1, 3, 2, 0])[labels]
    votes[np.arange(len(labels)), ferplus] = 8
    votes[:, 7] += 2
    votes[3] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    return PreparedData.from_rows(
        images, np.arange(len(labels)), usage, labels, votes, "as drawn", "tiny"
    )
