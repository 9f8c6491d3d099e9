"""Evidence for many faces at once: one forward pass and one gradient per batch.

A single face is explained for every class; over a whole split only the class that the model
predicts is of interest, so one backward pass serves a whole batch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.explain.attention import cell_attention
from fervt.explain.grid import CELLS, hide_cells, resample_by_area
from fervt.explain.trace import Array
from fervt.grid import GRID
from fervt.predict import Predictor
from fervt.progress import Progress, no_progress
from fervt.threads import map_in_order, threads_for

_BATCH = 64


@dataclass(frozen=True, eq=False)
class BatchEvidence:
    """The evidence for the predicted class of N faces.

    Attributes:
        predicted: (N,) int64, the class that the maps are about.
        maps: By key of `explain.SOURCES`, (N, 49) float32, row by row of the grid. What the
            checkpoint lacks, or what wasn't asked for, isn't among them.
        edges: (N, E) float32, attention along the graph's edges, mean of layers and heads; None
            without the graph.
        edge_index: (2, E) int64, rows source and target; None without the graph.
    """

    predicted: NDArray[np.int64]
    maps: dict[str, Array]
    edges: Array | None
    edge_index: NDArray[np.int64] | None


def read_evidence(
    predictor: Predictor,
    faces: NDArray[np.uint8],
    *,
    occlusion: bool = False,
    progress: Progress = no_progress,
) -> BatchEvidence:
    """Reads GWA, graph attention and Grad-CAM of many faces, and occlusion where asked for.

    Args:
        predictor: The checkpoint.
        faces: (N, 48, 48) uint8, one or more.
        occlusion: Also hide each of the 49 cells in turn: 49 more forward passes.
        progress: Called with the progress.
    """
    parts: dict[str, list[Array]] = {}
    predicted, edge_index = [], None
    for start in range(0, len(faces), _BATCH):
        batch = faces[start : start + _BATCH]
        with threads_for(len(batch)):
            found, answers, edge_index = _read(predictor, batch, occlusion)
        predicted.append(answers)
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
        done = min(start + _BATCH, len(faces))
        progress(done / len(faces), f"Reading the evidence: {done:,} of {len(faces):,}")
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    edges = joined.pop("edges", None)
    return BatchEvidence(np.concatenate(predicted), joined, edges, edge_index)


def _read(
    predictor: Predictor, faces: NDArray[np.uint8], occlusion: bool
) -> tuple[dict[str, Array], NDArray[np.int64], NDArray[np.int64] | None]:
    images = predictor.prepare(faces)
    with torch.enable_grad():
        output = predictor.network(images.detach().requires_grad_())
        answers = output.logits.argmax(dim=1)
        # A face's logit depends on that face alone, so the sum has each face's own gradient.
        total = output.logits.gather(1, answers[:, None]).sum()
        (gradient,) = torch.autograd.grad(total, output.feature_map)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    class_maps = _array((weights * output.feature_map).sum(dim=1))
    found: dict[str, Array] = {}
    edge_index = None
    if output.gwa_weights is not None:
        found["gwa"] = _array(output.gwa_weights).reshape(len(faces), CELLS)
    if output.gat_attention is not None and output.gat_edge_index is not None:
        edge_index = output.gat_edge_index.cpu().numpy()
        edges = _array(torch.stack(output.gat_attention).mean(dim=(0, 3)))
        found["edges"] = edges
        received = [cell_attention(each, edge_index) for each in edges]
        found["gat"] = np.stack(received).reshape(len(faces), CELLS)
    found["grad_cam"] = resample_by_area(np.maximum(class_maps, 0)).reshape(len(faces), CELLS)
    if occlusion:
        found["occlusion"] = _occlude(predictor, images, answers)
    return found, answers.cpu().numpy(), edge_index


def _occlude(predictor: Predictor, images: Tensor, answers: Tensor) -> Array:
    """How much the answer's probability falls (B, 49) when a cell is hidden."""
    cells = torch.eye(CELLS, device=images.device).view(CELLS, 1, GRID, GRID)
    rows = answers.cpu().numpy()[:, None]

    @torch.inference_mode()  # of a thread, so each of them asks for it
    def chances(changed: Tensor) -> Array:
        return np.take_along_axis(predictor.classify_prepared(changed), rows, axis=1)

    # A cell on each core: the network's layers are too small to share.
    hidden = list(map_in_order(lambda cell: chances(hide_cells(images, cell)), cells))
    return chances(images) - np.concatenate(hidden, axis=1)


def _array(values: Tensor) -> Array:
    return values.detach().float().cpu().numpy()
