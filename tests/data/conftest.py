import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fervt.labels import FER2013, SPLITS, VOTE_NAMES


@dataclass
class Faces:
    """27 noisy squares: 14 Training, 7 PublicTest, 6 PrivateTest rows, with three copies.

    Row 15 (PublicTest) copies row 2, row 22 (PrivateTest) copies row 3, row 24 (PrivateTest)
    copies row 17 (PublicTest), and row 5 copies row 4 within Training.
    """

    images: np.ndarray
    usage: list[str]
    label: list[int]
    votes: np.ndarray

    def write_csv(self, path: Path, names=("emotion", "pixels", "Usage"), edit=None) -> Path:
        lines = [
            [str(label), " ".join(map(str, image.ravel())), usage]
            for label, image, usage in zip(self.label, self.images, self.usage, strict=True)
        ]
        if edit is not None:
            edit(lines)
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([names, *lines])
        return path

    def write_ferplus(self, path: Path, edit=None) -> Path:
        lines = [
            [usage, f"fer{i:07d}.png", *map(str, votes)]
            for i, (usage, votes) in enumerate(zip(self.usage, self.votes, strict=True))
        ]
        if edit is not None:
            edit(lines)
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["Usage", "Image name", *VOTE_NAMES], *lines])
        return path

    def write_folder(self, root: Path, name="{usage}_{row:05d}.png", classes=None) -> Path:
        classes = classes or FER2013.classes
        for i, (usage, label) in enumerate(zip(self.usage, self.label, strict=True)):
            folder = root / ("train" if usage == "Training" else "test") / classes[label]
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / name.format(usage=usage, row=i)
            Image.fromarray(self.images[i]).save(file)
        return root


@pytest.fixture
def faces() -> Faces:
    rng = np.random.default_rng(3)
    usage = [SPLITS[0]] * 14 + [SPLITS[1]] * 7 + [SPLITS[2]] * 6
    images = rng.integers(0, 256, (len(usage), 48, 48), dtype=np.uint8)
    for copy, original in ((15, 2), (22, 3), (24, 17), (5, 4)):
        images[copy] = images[original]
    label = [i % 7 for i in range(len(usage))]
    votes = rng.multinomial(10, [0.6] + [0.4 / 9] * 9, size=len(usage)).astype(np.uint8)
    return Faces(images, usage, label, votes)
