"""Measures the cost of real-world crops, which detectors frame slightly differently.

    python -m scripts.crops --data prepared.parquet --checkpoint NAME [--checkpoint NAME]

Prints a table for PublicTest: the accuracy on the data set's own crops, and the loss with the
window moved by one grid cell, zoomed, rotated, or at a quarter of the light.
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.checkpoint import find_checkpoint
from fervt.cli.ending import run_to_end
from fervt.data.prepared import read_prepared
from fervt.faces import brighten
from fervt.grid import GRID
from fervt.predict import Predictor
from fervt.training.faces import targets_for

SPLIT = "PublicTest"
_CELL = 2 / GRID  # in the window's coordinates, -1..1
CHANGES: dict[str, dict[str, float]] = {
    "as it is": {},
    "one cell to the right": {"right": _CELL},
    "one cell to the left": {"right": -_CELL},
    "one cell down": {"down": _CELL},
    "one cell up": {"down": -_CELL},
    "zoomed to 0.85": {"zoom": 0.85},
    "zoomed to 1.2": {"zoom": 1.2},
    "turned by 10 degrees": {"angle_deg": 10},
    "turned by -10 degrees": {"angle_deg": -10},
    "a quarter of the light": {"light": 0.25},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--checkpoint", action="append", help="name or file; repeatable")
    args = parser.parse_args()
    print_table(args.data, args.checkpoint or [None])


def print_table(data: Path, checkpoints: list[str | None]) -> None:
    public = read_prepared(data, (SPLIT,)).split(SPLIT)
    files = [find_checkpoint(name) for name in checkpoints]
    columns, counts = [], []
    for file in files:
        predictor = Predictor(file)
        rows, labels, _ = targets_for(public, predictor.info.config)
        counts.append(len(rows))
        columns.append(
            [accuracy(predictor, public.images[rows], labels, **c) for c in CHANGES.values()]
        )
    titles = [f"{file.stem} (n = {count:,})" for file, count in zip(files, counts, strict=True)]
    print("| " + " | ".join(["crop", *titles]) + " |\n" + "|---" * (1 + len(files)) + "|")
    for row, name in enumerate(CHANGES):
        cells = [_cell(column, row) for column in columns]
        print("| " + " | ".join([name, *cells]) + " |")


def _cell(column: list[float], row: int) -> str:
    return f"{column[row]:.1%}" if row == 0 else f"{100 * (column[row] - column[0]):+.1f}"


def accuracy(
    predictor: Predictor,
    faces: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    right: float = 0.0,
    down: float = 0.0,
    zoom: float = 1.0,
    angle_deg: float = 0.0,
    light: float = 1.0,
) -> float:
    """The share of faces (N, 48, 48) classified correctly in a changed window.

    Args:
        predictor: The checkpoint.
        faces: Gray faces.
        labels: (N,) class indices.
        right: How far the window moves, in units of half its side.
        down: The same.
        zoom: How much larger the face looks in it.
        angle_deg: The window's rotation.
        light: A factor for every gray value; faces that become too dark are brightened.
    """
    size = predictor.info.preprocess.crop / zoom
    cos, sin = (size * f(math.radians(angle_deg)) for f in (math.cos, math.sin))
    matrix = torch.tensor([[cos, -sin], [sin, cos]])
    theta = torch.cat([matrix, matrix @ torch.tensor([[right], [down]])], dim=1)
    if light != 1:  # of a photo, which `to_face` then brightens
        faces = np.stack([brighten(face) for face in np.round(faces * light).astype(np.uint8)])
    found = []
    for start in range(0, len(faces), 256):
        batch = torch.from_numpy(faces[start : start + 256])
        images = predictor.info.preprocess.sample(batch, theta.expand(len(batch), -1, -1))
        found.append(predictor.classify_prepared(images).argmax(axis=1))
    return float((np.concatenate(found) == labels).mean())


if __name__ == "__main__":
    sys.exit(run_to_end("crops", main))
