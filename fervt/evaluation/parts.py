"""What GWA and the graph do for a checkpoint: does attention follow the face, and who needs it?

A map that shows the same place on everybody costs nothing to exchange and says nothing about a
face. So weights are exchanged, moved and switched off, and each change is held against the whole
model on the same rows.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.checkpoint import CheckpointInfo
from fervt.data.transforms import Preprocess
from fervt.errors import DataError
from fervt.files import write_aside
from fervt.grid import GRID
from fervt.metrics.comparison import compare_pair
from fervt.model import FERVTGNN, Intervention
from fervt.progress import Progress, no_progress

FILE = "parts.json"

_BATCH = 64
_ZOOM = 1.3
_CLEARLY = 0.3  # of a correlation: follows above stays
_TEMPLATE = 0.6  # of the variance: from here on a map is called a template
_MOVES = {"right": (1, 0), "down": (0, 1)}


@dataclass(frozen=True)
class PartChange:
    """The accuracy with one change, on the same rows as without it.

    Attributes:
        name: What was changed.
        accuracy: With the change, 0..1.
        difference: Accuracy with the change minus that without.
        low: Lower end of the difference's paired 95% bootstrap interval.
        high: Its upper end.
    """

    name: str
    accuracy: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Following:
    """Whether GWA's weights follow a face whose window changed.

    Attributes:
        change: What happened to the window.
        follows: Mean correlation of the new weights with the old ones carried along, -1..1.
        stays: Mean correlation with the old ones where they were, over the same cells.
    """

    change: str
    follows: float
    stays: float


@dataclass(frozen=True)
class PartsReport:
    """What the parts of a checkpoint do, on n rows of one split.

    Attributes:
        checkpoint_sha256: Of its file.
        split: Of the data.
        n: Rows.
        accuracy: Of the whole model, 0..1.
        template_share: Share of the weights' variance (over cells and images) that the mean map
            explains, 0..1: 1 is the same map on everybody. None without GWA.
        following: Empty without GWA.
        changes: What was exchanged or switched off.
    """

    checkpoint_sha256: str
    split: str
    n: int
    accuracy: float
    template_share: float | None
    following: tuple[Following, ...]
    changes: tuple[PartChange, ...]

    def write(self, folder: Path) -> None:
        """Writes parts.json into the folder of a saved evaluation."""
        with write_aside(folder / FILE) as aside:
            aside.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def measure_parts(
    model: FERVTGNN,
    info: CheckpointInfo,
    checkpoint_sha256: str,
    split: str,
    faces: NDArray[np.uint8],
    labels: NDArray[np.int64],
    progress: Progress = no_progress,
) -> PartsReport:
    """Measures what GWA and the graph do.

    Args:
        model: In eval mode.
        info: Its checkpoint's metadata.
        checkpoint_sha256: Of its file.
        split: What the rows are called.
        faces: (N, 48, 48) uint8.
        labels: (N,) indices into the model's classes.
        progress: Told how far it is.

    Raises:
        DataError: There are fewer than two faces.
    """
    if len(faces) < 2:
        raise DataError("Measuring the parts needs two faces or more.")
    device = next(model.parameters()).device
    batches = [
        torch.from_numpy(faces[start : start + _BATCH]).to(device)
        for start in range(0, len(faces), _BATCH)
    ]
    model.eval()
    plain = [_run(model, info.preprocess, batch) for batch in batches]
    whole = _predicted(plain)
    weights = _joined([read.weights for read in plain])
    plans = _interventions(model, weights, _joined([read.vectors for read in plain]))
    changes = []
    for done, (name, plan) in enumerate(plans.items()):
        progress(done / (len(plans) + 1), name)
        start, outputs = 0, []
        for batch in batches:
            change = plan(slice(start, start + len(batch)))
            outputs.append(_run(model, info.preprocess, batch, change))
            start += len(batch)
        predicted = _predicted(outputs)
        pair = compare_pair(labels, whole, predicted, len(info.config.classes))["accuracy"]
        accuracy = float((predicted == labels).mean())
        changes.append(PartChange(name, accuracy, pair.value, pair.low, pair.high))
    progress(len(plans) / (len(plans) + 1), "moved and zoomed windows")
    return PartsReport(
        checkpoint_sha256,
        split,
        len(faces),
        float((whole == labels).mean()),
        None if weights is None else template_share(weights.cpu().numpy()),
        () if weights is None else measure_following(model, info.preprocess, batches, weights),
        tuple(changes),
    )


def _interventions(
    model: FERVTGNN, weights: Tensor | None, vectors: Tensor | None
) -> dict[str, Callable[[slice], Intervention]]:
    """By name, what to replace for the rows of a batch."""
    plans: dict[str, Callable[[slice], Intervention]] = {}
    if weights is not None:
        even = torch.ones_like(weights[0])
        mean = weights.mean(dim=0)
        others = weights.roll(1, dims=0)
        order = torch.from_numpy(np.random.default_rng(0).permutation(GRID * GRID))
        shuffled = weights.flatten(1)[:, order.to(weights.device)].view_as(weights)
        plans["another face's weights"] = lambda rows: Intervention(gwa_weights=others[rows])
        plans["the mean map"] = lambda rows: Intervention(gwa_weights=mean)
        plans["cells shuffled"] = lambda rows: Intervention(gwa_weights=shuffled[rows])
        plans["GWA off"] = lambda rows: Intervention(gwa_weights=even)
        if vectors is not None:
            plans["GWA off, the graph's token kept"] = lambda rows: Intervention(
                gwa_weights=even, gnn_features=vectors[rows]
            )
    if vectors is not None:
        plans["GNN off"] = lambda rows: Intervention(gnn_features=model.gnn_mean)
    return plans


def template_share(weights: NDArray[np.floating]) -> float:
    """Share of the weights' variance that their mean map explains.

    Args:
        weights: (N, 7, 7), mean 1 over the grid.

    Returns:
        0..1; 1 where all maps are alike, 0 where their mean is even.
    """
    total = float(((weights - 1) ** 2).mean())
    return float(((weights.mean(axis=0) - 1) ** 2).mean() / total) if total > 0 else 1.0


def measure_following(
    model: FERVTGNN, preprocess: Preprocess, batches: list[Tensor], weights: Tensor
) -> tuple[Following, ...]:
    """Moves the window by a cell and zooms it, and correlates the weights.

    Args:
        model: In eval mode, with GWA.
        preprocess: The checkpoint's.
        batches: Faces (b, 48, 48) uint8, N in all.
        weights: (N, 7, 7) of the window where it is.
    """
    found = []
    for name, (right, down) in _MOVES.items():
        moved = _weights_in(model, preprocess, batches, 1.0, right * 2 / GRID, down * 2 / GRID)
        inner = slice(0, GRID - down), slice(0, GRID - right)
        follows = _correlation(moved[:, *inner], weights[:, down:, right:])
        stays = _correlation(moved[:, *inner], weights[:, *inner])
        found.append(Following(f"one cell {name}", follows, stays))
    zoomed = _weights_in(model, preprocess, batches, 1 / _ZOOM, 0.0, 0.0)
    theta = torch.zeros(len(weights), 2, 3, device=weights.device)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / _ZOOM
    grid = torch.nn.functional.affine_grid(theta, [len(weights), 1, GRID, GRID], False)
    carried = torch.nn.functional.grid_sample(weights[:, None], grid, align_corners=False)[:, 0]
    follows, stays = _correlation(zoomed, carried), _correlation(zoomed, weights)
    return (*found, Following(f"zoomed by {_ZOOM}", follows, stays))


def _weights_in(
    model: FERVTGNN,
    preprocess: Preprocess,
    batches: list[Tensor],
    scale: float,
    right: float,
    down: float,
) -> Tensor:
    """GWA's weights (N, 7, 7) in a window scaled and moved, in halves of the window's side."""
    found = []
    for batch in batches:
        theta = torch.zeros(len(batch), 2, 3, device=batch.device)
        theta[:, 0, 0] = theta[:, 1, 1] = preprocess.crop * scale
        theta[:, 0, 2], theta[:, 1, 2] = preprocess.crop * right, preprocess.crop * down
        with torch.inference_mode():
            found.append(model.gwa(preprocess.sample(batch, theta))[2])
    return torch.cat(found)


def _correlation(first: Tensor, second: Tensor) -> float:
    """Mean over the faces of the correlation over their cells."""
    a, b = (maps.flatten(1) - maps.flatten(1).mean(dim=1, keepdim=True) for maps in (first, second))
    return float(torch.nn.functional.cosine_similarity(a, b).mean())


@dataclass(frozen=True, eq=False)
class _Read:
    """What is kept of a batch: the whole output of a split would not fit in memory."""

    predicted: Tensor
    weights: Tensor | None
    vectors: Tensor | None


def _run(
    model: FERVTGNN, preprocess: Preprocess, batch: Tensor, change: Intervention | None = None
) -> _Read:
    with torch.inference_mode():
        images = preprocess.to_input(batch).contiguous(memory_format=torch.channels_last)
        output = model(images, change)
    return _Read(output.logits.argmax(dim=1), output.gwa_weights, output.gnn_features)


def _predicted(reads: list[_Read]) -> NDArray[np.int64]:
    return torch.cat([read.predicted for read in reads]).cpu().numpy()


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    found = [part for part in parts if part is not None]
    return torch.cat(found) if found else None


def describe_following(report: PartsReport) -> str:
    """In words: does attention follow the face?"""
    if not report.following:
        return "It has no grid-wise attention."
    moves = report.following[:2]
    follows = all(move.follows > move.stays + _CLEARLY for move in moves)
    shares = ", ".join(f"{m.follows:.2f} against {m.stays:.2f} {m.change}" for m in moves)
    share = report.template_share or 0.0
    figures = f"correlation with the map that moves along and with the one that stays: {shares}; "
    figures += f"the mean map explains {share:.0%} of the weights' variance"
    if share > _TEMPLATE:
        return f"Its attention is nearly the same map for every face ({figures})."
    if follows:
        return f"Its attention follows the face ({figures})."
    return f"Its attention follows the face in part ({figures})."
