"""What GWA and the graph contribute: does attention follow the face, and does it matter?

A map that is the same for everybody can be exchanged at no cost and says nothing about a
face. So weights are exchanged, moved and switched off, and each change is compared with the whole
model on the same rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.checkpoint import CheckpointInfo
from fervt.data.transforms import Preprocess
from fervt.device import to_device
from fervt.errors import DataError
from fervt.evaluation.parts_report import (
    ANOTHERS,
    GNN_OFF,
    TOKEN_KEPT,
    Following,
    PartChange,
    PartsReport,
    hash_labels,
)
from fervt.grid import GRID
from fervt.metrics.comparison import compare_pair
from fervt.model import FERVTGNN, Intervention
from fervt.progress import Progress, no_progress

_BATCH = 64
_ZOOM = 1.3
_MOVES = {"right": (1, 0), "down": (0, 1)}


def measure_parts(
    model: FERVTGNN,
    info: CheckpointInfo,
    checkpoint_sha256: str,
    rows_sha256: str,
    split: str,
    faces: NDArray[np.uint8],
    labels: NDArray[np.int64],
    progress: Progress = no_progress,
) -> PartsReport:
    """Measures what GWA and the graph contribute.

    Args:
        model: In eval mode.
        info: Its checkpoint's metadata.
        checkpoint_sha256: Of its file.
        rows_sha256: `hash_rows` of the rows.
        split: The rows' split.
        faces: (N, 48, 48) uint8.
        labels: (N,) indices into the model's classes.
        progress: Called with the progress.

    Raises:
        DataError: There are fewer than two faces.
    """
    if len(faces) < 2:
        raise DataError("Measuring the parts needs at least two faces.")
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
        rows_sha256,
        hash_labels(labels.tolist()),
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
        plans[ANOTHERS] = lambda rows: Intervention(gwa_weights=others[rows])
        plans["the mean map"] = lambda rows: Intervention(gwa_weights=mean)
        plans["cells shuffled"] = lambda rows: Intervention(gwa_weights=shuffled[rows])
        plans["GWA off"] = lambda rows: Intervention(gwa_weights=even)
        if vectors is not None:
            plans[TOKEN_KEPT] = lambda rows: Intervention(
                gwa_weights=even, gnn_features=vectors[rows]
            )
    if vectors is not None:
        plans[GNN_OFF] = lambda rows: Intervention(gnn_features=model.gnn_mean)
    return plans


def template_share(weights: NDArray[np.floating]) -> float:
    """Share of the weights' variance that their mean map explains.

    Args:
        weights: (N, 7, 7), mean 1 over the grid.

    Returns:
        0..1; 1 if all maps are alike, 0 if their mean is even.
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
        images = to_device(preprocess.to_input(batch.cpu().numpy()), batch.device)
        output = model(images, change)
    return _Read(output.logits.argmax(dim=1), output.gwa_weights, output.gnn_features)


def _predicted(reads: list[_Read]) -> NDArray[np.int64]:
    return torch.cat([read.predicted for read in reads]).cpu().numpy()


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    found = [part for part in parts if part is not None]
    return torch.cat(found) if found else None
