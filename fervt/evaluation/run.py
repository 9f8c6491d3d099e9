"""Runs a model over data and saves its predictions as an evaluation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt import __version__
from fervt.checkpoint import CheckpointInfo, load_checkpoint
from fervt.data.folders import DRAWN_FROM_TRAIN
from fervt.data.prepared import PreparedData
from fervt.data.transforms import Preprocess
from fervt.device import to_device
from fervt.errors import DataError
from fervt.evaluation.evidence import shorten
from fervt.evaluation.metrics import (
    EvaluatedCheckpoint,
    EvaluatedData,
    Metrics,
    Part,
    PartsAtWork,
)
from fervt.evaluation.predictions import predictions_table, scores_of
from fervt.evaluation.rows import translate
from fervt.evaluation.saved import Evaluation
from fervt.files import file_sha256
from fervt.labels import FER2013, Vocabulary, vocabulary
from fervt.metrics import softmax
from fervt.model import FERVTGNN, Intervention
from fervt.progress import Progress, no_progress


@dataclass(frozen=True)
class Outputs:
    """A model's outputs for N faces.

    Attributes:
        logits: (N, C) float32, before temperature scaling.
        flipped_logits: (N, C) float32 of the mirrored faces; None unless asked for.
        embeddings: (N, D) float32, class tokens after the transformer.
        gnn_logits: (N, C) float32, read from the graph vector alone; None without the GNN.
        gwa_weights: (N, 7, 7) float32; None without GWA.
        gat_entropy: (N,) float32, mean over nodes, layers and heads of the entropy of a node's
            incoming attention as a share of its maximum, 0..1; None without the GNN.
    """

    logits: NDArray[np.float32]
    flipped_logits: NDArray[np.float32] | None
    embeddings: NDArray[np.float32]
    gnn_logits: NDArray[np.float32] | None
    gwa_weights: NDArray[np.float32] | None
    gat_entropy: NDArray[np.float32] | None


def run_model(
    model: FERVTGNN,
    preprocess: Preprocess,
    faces: NDArray[np.uint8],
    *,
    flip: bool = False,
    neutralize: Part | None = None,
    batch_size: int = 64,
    amp: bool = False,
    progress: Progress = no_progress,
) -> Outputs:
    """Runs a model in eval mode over gray faces (N, 48, 48) uint8.

    Args:
        model: Its mode is restored afterwards.
        preprocess: The checkpoint's own.
        faces: Gray faces.
        flip: Run the mirrored faces as well.
        neutralize: "gwa" sets all cell weights to 1; "gnn" replaces every graph vector by its
            training mean.
        batch_size: Faces in one forward pass.
        amp: Use bfloat16 where autocast allows.
        progress: Called with the progress.

    Raises:
        DataError: There are no faces, or the model lacks the part to neutralize.
    """
    if not len(faces):
        raise DataError("There are no faces to evaluate.")
    device = next(model.parameters()).device
    intervention = _neutralized(model, neutralize)
    parts: dict[str, list[Tensor]] = {}
    was_training = model.training
    model.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
        for start in range(0, len(faces), batch_size):
            images = to_device(preprocess.to_input(faces[start : start + batch_size]), device)
            output = model(images, intervention)
            found = {
                "logits": output.logits,
                "embeddings": output.class_embedding,
                "gnn_logits": output.gnn_logits,
                "gwa_weights": output.gwa_weights,
            }
            if output.gat_attention is not None:
                found["gat_entropy"] = attention_entropy(
                    torch.cat(output.gat_attention, dim=-1), output.gat_edge_index
                )
            if flip:
                found["flipped_logits"] = model(images.flip(-1), intervention).logits
            for name, value in found.items():
                if value is not None:
                    parts.setdefault(name, []).append(value.float().cpu())
            done = min(start + batch_size, len(faces))
            progress(done / len(faces), f"Predicting: {done:,} of {len(faces):,}")
    model.train(was_training)
    joined: dict[str, Any] = dict.fromkeys(Outputs.__dataclass_fields__)
    joined |= {name: torch.cat(values).numpy() for name, values in parts.items()}
    return Outputs(**joined)


def attention_entropy(attention: Tensor, edge_index: Tensor) -> Tensor:
    """The normalized entropy of the attention over each node's incoming edges.

    Args:
        attention: (B, E, H), sums to 1 over each target's edges.
        edge_index: (2, E), rows source and target.

    Returns:
        (B,) mean over nodes and heads of entropy / log(number of edges), 1 = uniform.
    """
    target = edge_index[1]
    nodes = int(target.max()) + 1
    degree = torch.bincount(target, minlength=nodes).to(attention)
    terms = -attention * attention.clamp_min(1e-12).log()
    entropy = attention.new_zeros(len(attention), nodes, attention.shape[2])
    entropy.index_add_(1, target, terms)
    return (entropy / degree.log()[None, :, None]).mean(dim=(1, 2))


def _neutralized(model: FERVTGNN, part: Part | None) -> Intervention | None:
    if part is None:
        return None
    if part == "gwa" and model.config.use_gwa:
        return Intervention(gwa_weights=torch.ones(7, 7, device=next(model.parameters()).device))
    if part == "gnn" and model.config.use_gnn:
        return Intervention(gnn_features=model.gnn_mean)
    raise DataError(f"This checkpoint has no {part.upper()} to neutralize.")


def labels_in(classes: Vocabulary, truth: Vocabulary, data: PreparedData) -> NDArray[np.int64]:
    """The rows' labels of one label set as indices into a checkpoint's classes.

    Args:
        classes: The checkpoint's vocabulary.
        truth: The label set that is taken as the truth.
        data: N rows.

    Returns:
        (N,) int64; -1 if there is no label or the checkpoint has no such class.
    """
    labels = data.label_fer2013 if truth is FER2013 else data.label_ferplus
    return translate(labels, truth, classes.classes)


def evaluate_model(
    model: FERVTGNN,
    info: CheckpointInfo,
    checkpoint: EvaluatedCheckpoint,
    data: PreparedData,
    labels: NDArray[np.int64],
    truth: Vocabulary,
    *,
    labels_from: Literal["folders"] | None = None,
    neutralize: Part | None = None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Evaluates a model on faces of one split.

    Args:
        model: What is evaluated.
        info: Its checkpoint's metadata.
        checkpoint: Its description in the metrics.
        data: N rows of one split.
        labels: (N,) indices into the model's classes, none of them -1.
        truth: The label set that they come from.
        labels_from: As in `EvaluatedData`.
        neutralize: A part to switch off, see `run_model`.
        progress: Called with the progress.

    Raises:
        DataError: There are no rows.
    """
    classes = info.config.classes
    outputs = run_model(
        model, info.preprocess, data.images, flip=True, neutralize=neutralize, progress=progress
    )
    probabilities = softmax(outputs.logits)
    assert outputs.flipped_logits is not None
    averaged = (probabilities + softmax(outputs.flipped_logits)) / 2
    plain = predictions_table(probabilities, classes, labels, data)
    mirrored = predictions_table(averaged, classes, labels, data)
    scores = scores_of(plain, classes, info.temperature)
    metrics = Metrics(
        version=__version__,
        checkpoint=checkpoint,
        data=EvaluatedData(
            data.source,
            data.content_hash,
            str(data.usage[0]),
            data.split_rule,
            labels_from,
            # Test faces by FER2013's own splits are in nobody's Training split.
            held_out=not data.split_rule.startswith(DRAWN_FROM_TRAIN)
            or (data.content_hash == info.data_hash and not info.parent),
        ),
        classes=classes.classes,
        labels=truth.name,
        labels_seen=info.labels_seen,
        temperature=info.temperature,
        neutralized=neutralize,
        standard=scores.standard,
        without_copies=scores.without_copies,
        tta=scores_of(mirrored, classes, info.temperature),
        parts=_parts_at_work(outputs, labels),
    )
    return Evaluation(metrics, plain, mirrored, shorten(outputs.embeddings))


def with_labels(
    info: CheckpointInfo, data: PreparedData, labels: str | None = None
) -> tuple[PreparedData, NDArray[np.int64], Vocabulary]:
    """The rows that a checkpoint can be evaluated on, their labels, and the labels' set.

    Args:
        info: The checkpoint's metadata.
        data: Rows of one split.
        labels: "fer2013" or "ferplus" as the truth; None takes the checkpoint's own vocabulary.

    Raises:
        DataError: No row has a label of that set.
    """
    classes = info.config.classes
    truth = classes if labels is None else vocabulary(labels)
    found = labels_in(classes, truth, data)
    if not (found >= 0).any():
        raise DataError(f"No row of {data.source} has a {truth.title} label.")
    return data.select(found >= 0), found[found >= 0], truth


def evaluate_checkpoint(
    checkpoint: Path,
    data: PreparedData,
    out: Path,
    *,
    labels: str | None = None,
    neutralize: Part | None = None,
    progress: Progress = no_progress,
) -> Metrics:
    """Evaluates a checkpoint on one split and writes the saved evaluation.

    Args:
        checkpoint: The checkpoint's file.
        data: Rows of one split.
        out: Folder for predictions.parquet, tta.parquet, embeddings.npz and metrics.json.
        labels: As for `with_labels`.
        neutralize: A part to switch off, see `run_model`.
        progress: Called with the progress.

    Returns:
        Its figures.

    Raises:
        DataError: No row has a label of that set.
        CheckpointError: The checkpoint cannot be loaded.
    """
    model, info = load_checkpoint(checkpoint)
    evaluation = evaluate_model(
        model,
        info,
        EvaluatedCheckpoint(checkpoint.stem, file_sha256(checkpoint)),
        *with_labels(info, data, labels),
        neutralize=neutralize,
        progress=progress,
    )
    evaluation.write(out)
    return evaluation.metrics


def _parts_at_work(outputs: Outputs, labels: NDArray[np.int64]) -> PartsAtWork:
    weights, readout, entropy = outputs.gwa_weights, outputs.gnn_logits, outputs.gat_entropy
    return PartsAtWork(
        gwa_std_over_cells=None if weights is None else float(weights.std(axis=(1, 2)).mean()),
        gwa_std_over_images=None if weights is None else float(weights.std(axis=0).mean()),
        gwa_max=None if weights is None else float(weights.max()),
        gnn_readout_accuracy=(
            None if readout is None else float((readout.argmax(axis=1) == labels).mean())
        ),
        gat_relative_entropy=None if entropy is None else float(entropy.mean()),
    )
