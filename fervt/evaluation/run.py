"""From a model and a prepared file to a saved evaluation.

A saved evaluation is a table of predictions, one row a face, and the figures computed from it.
Every report reads these files and never asks the model again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from torch import Tensor

from fervt import __version__
from fervt.checkpoint import CheckpointInfo, load_checkpoint
from fervt.data.prepared import PreparedData
from fervt.data.transforms import Preprocess
from fervt.errors import DataError
from fervt.files import file_sha256, write_aside
from fervt.labels import FER2013, FER2013_TO_FERPLUS, FERPLUS, Vocabulary, vocabulary
from fervt.metrics import score, softmax
from fervt.model import FERVTGNN, Intervention

Part = Literal["gwa", "gnn"]
Progress = Callable[[int, int], None]

_LABELS = ("label", "label_fer2013", "label_ferplus")
_COLUMNS = (
    "row",
    "image_sha256",
    "usage",
    "label",
    "label_fer2013",
    "label_ferplus",
    "is_copy",
)


@dataclass(frozen=True)
class Outputs:
    """What a model says of N faces.

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
    neutralise: Part | None = None,
    batch_size: int = 64,
    amp: bool = False,
    progress: Progress | None = None,
) -> Outputs:
    """Runs a model in eval mode over gray faces (N, 48, 48) uint8.

    Args:
        model: It is left in the mode that it was in.
        preprocess: The checkpoint's own.
        faces: Gray faces.
        flip: Run the mirrored faces as well.
        neutralise: "gwa" sets all cell weights to 1; "gnn" replaces every graph vector by its
            training mean.
        batch_size: Faces in one forward pass.
        amp: Use bfloat16 where autocast allows.
        progress: Called with the number of faces done and of all.

    Raises:
        DataError: There are no faces, or the part to neutralise is not in the model.
    """
    if not len(faces):
        raise DataError("There are no faces to evaluate.")
    device = next(model.parameters()).device
    intervention = _neutralised(model, neutralise)
    parts: dict[str, list[Tensor]] = {}
    was_training = model.training
    model.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
        for start in range(0, len(faces), batch_size):
            batch = torch.from_numpy(faces[start : start + batch_size]).to(device)
            images = preprocess.to_input(batch).contiguous(memory_format=torch.channels_last)
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
            if progress:
                progress(min(start + batch_size, len(faces)), len(faces))
    model.train(was_training)
    joined: dict[str, Any] = dict.fromkeys(Outputs.__dataclass_fields__)
    joined |= {name: torch.cat(values).numpy() for name, values in parts.items()}
    return Outputs(**joined)


def attention_entropy(attention: Tensor, edge_index: Tensor) -> Tensor:
    """How even the attention over each node's incoming edges is.

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


def _neutralised(model: FERVTGNN, part: Part | None) -> Intervention | None:
    if part is None:
        return None
    if part == "gwa" and model.config.use_gwa:
        return Intervention(gwa_weights=torch.ones(7, 7, device=next(model.parameters()).device))
    if part == "gnn" and model.config.use_gnn:
        return Intervention(gnn_features=model.gnn_mean)
    raise DataError(f"This checkpoint has no {part.upper()} that could be neutralised.")


def labels_in(classes: Vocabulary, truth: Vocabulary, data: PreparedData) -> NDArray[np.int64]:
    """The rows' labels of one label set as indices into a checkpoint's classes.

    Args:
        classes: The checkpoint's vocabulary.
        truth: The label set that is taken as the truth.
        data: N rows.

    Returns:
        (N,) int64; -1 where there is no label or the checkpoint has no such class.
    """
    labels = data.label_fer2013 if truth is FER2013 else data.label_ferplus
    counterpart = FER2013_TO_FERPLUS
    if truth is FERPLUS:
        counterpart = {plus: fer for fer, plus in FER2013_TO_FERPLUS.items()}
    names = truth.classes if classes is truth else [counterpart.get(c) for c in truth.classes]
    table = [classes.classes.index(n) if n in classes.classes else -1 for n in names]
    return np.array([*table, -1])[labels]


def predictions_table(
    probabilities: NDArray[np.floating],
    classes: Vocabulary,
    labels: NDArray[np.int64],
    data: PreparedData,
) -> pd.DataFrame:
    """The table of a saved evaluation: one row a face, with its label as an index in `classes`."""
    return pd.DataFrame(
        {
            "row": data.row,
            "image_sha256": data.sha256,
            "usage": data.usage,
            "label": labels,
            "label_fer2013": data.label_fer2013,
            "label_ferplus": data.label_ferplus,
            "is_copy": data.is_copy,
            **{name: probabilities[:, i] for i, name in enumerate(classes.classes)},
        }
    )


def scores_of(
    table: pd.DataFrame, classes: Vocabulary, temperature: float
) -> dict[str, dict[str, Any] | None]:
    """The figures of a table, standard and without copies of images from earlier splits."""
    names = list(classes.classes)

    def figures(rows: pd.DataFrame) -> dict[str, Any] | None:
        if rows.empty:
            return None
        return score(rows[names].to_numpy(), rows["label"].to_numpy(), classes.classes, temperature)

    return {"standard": figures(table), "without_copies": figures(table[~table["is_copy"]])}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that a saved evaluation consists of, in memory; N rows.

    Attributes:
        metrics: What metrics.json holds.
        plain: The table of predictions.
        mirrored: The same, averaged with those of the mirrored faces.
        class_tokens: (N, D) float16, row by row as in `plain`.
    """

    metrics: dict[str, Any]
    plain: pd.DataFrame
    mirrored: pd.DataFrame
    class_tokens: NDArray[np.float16]

    def as_files(self) -> dict[str, bytes]:
        """The content of its four files by name, metrics.json last."""
        embeddings = BytesIO()
        np.savez_compressed(
            embeddings,
            image_sha256=self.plain["image_sha256"].to_numpy(dtype=str),
            class_token=self.class_tokens,
        )
        return {
            "predictions.parquet": self.plain.to_parquet(compression="zstd", index=False),
            "tta.parquet": self.mirrored.to_parquet(compression="zstd", index=False),
            "embeddings.npz": embeddings.getvalue(),
            "metrics.json": (json.dumps(self.metrics, indent=1) + "\n").encode(),
        }


def evaluate_model(
    model: FERVTGNN,
    info: CheckpointInfo,
    checkpoint: Mapping[str, str],
    data: PreparedData,
    labels: NDArray[np.int64],
    truth: Vocabulary,
    *,
    neutralise: Part | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluates a model on faces of one split.

    Args:
        model: What is evaluated.
        info: Its checkpoint's metadata.
        checkpoint: Name and SHA-256 of its file, for the metrics.
        data: N rows of one split.
        labels: (N,) indices into the model's classes, none of them -1.
        truth: The label set that they come from.
        neutralise: A part to switch off, see `run_model`.
        progress: Called with the number of faces done and of all.

    Raises:
        DataError: There are no rows.
    """
    classes = info.config.classes
    outputs = run_model(
        model, info.preprocess, data.images, flip=True, neutralise=neutralise, progress=progress
    )
    plain = softmax(outputs.logits)
    assert outputs.flipped_logits is not None
    mirrored = (plain + softmax(outputs.flipped_logits)) / 2
    plain_table = predictions_table(plain, classes, labels, data)
    mirrored_table = predictions_table(mirrored, classes, labels, data)
    metrics = {
        "version": __version__,
        "checkpoint": dict(checkpoint),
        "data": {
            "source": data.source,
            "content_hash": data.content_hash,
            "split": str(data.usage[0]),
            "split_rule": data.split_rule,
        },
        "classes": list(classes.classes),
        "labels": truth.name,
        "labels_seen": list(info.labels_seen),
        "temperature": info.temperature,
        "neutralised": neutralise,
        **scores_of(plain_table, classes, info.temperature),
        "tta": scores_of(mirrored_table, classes, info.temperature),
        "parts": _parts_at_work(outputs, labels),
    }
    return Evaluation(metrics, plain_table, mirrored_table, outputs.embeddings.astype(np.float16))


def with_labels(
    info: CheckpointInfo, data: PreparedData, labels: str | None = None
) -> tuple[PreparedData, NDArray[np.int64], Vocabulary]:
    """The rows that a checkpoint can be evaluated on, their labels, and the set these come from.

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
    neutralise: Part | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluates a checkpoint on one split and writes the saved evaluation.

    Args:
        checkpoint: The checkpoint's file.
        data: Rows of one split.
        out: Folder for predictions.parquet, tta.parquet, embeddings.npz and metrics.json.
        labels: As for `with_labels`.
        neutralise: A part to switch off, see `run_model`.
        progress: Called with the number of faces done and of all.

    Returns:
        What metrics.json holds.

    Raises:
        DataError: No row has a label of that set.
        CheckpointError: The checkpoint cannot be loaded.
    """
    model, info = load_checkpoint(checkpoint)
    evaluation = evaluate_model(
        model,
        info,
        {"name": checkpoint.stem, "sha256": file_sha256(checkpoint)},
        *with_labels(info, data, labels),
        neutralise=neutralise,
        progress=progress,
    )
    (out / "metrics.json").unlink(missing_ok=True)  # never old figures beside new tables
    for name, content in evaluation.as_files().items():
        with write_aside(out / name) as aside:
            aside.write_bytes(content)
    return evaluation.metrics


def _parts_at_work(outputs: Outputs, labels: NDArray[np.int64]) -> dict[str, float | None]:
    """Whether GWA, GAT and GNN carry information, as numbers."""
    weights, readout, entropy = outputs.gwa_weights, outputs.gnn_logits, outputs.gat_entropy
    return {
        "gwa_std_over_cells": None if weights is None else float(weights.std(axis=(1, 2)).mean()),
        "gwa_std_over_images": None if weights is None else float(weights.std(axis=0).mean()),
        "gwa_max": None if weights is None else float(weights.max()),
        "gnn_readout_accuracy": (
            None if readout is None else float((readout.argmax(axis=1) == labels).mean())
        ),
        "gat_relative_entropy": None if entropy is None else float(entropy.mean()),
    }


def read_predictions(path: Path, info: CheckpointInfo | None = None) -> pd.DataFrame:
    """Reads and checks a saved table of predictions.

    Raises:
        DataError: The file is no such table: a column is missing, probabilities are not finite or
            don't sum to 1, or a label is out of range.
    """
    if not path.is_file():
        raise DataError(f"There is no evaluation '{path.name}' in {path.parent.name}.")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"'{path.name}' is not a parquet file.") from error
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise DataError(f"'{path.name}' lacks the column '{missing[0]}'.")
    names = tuple(table.columns[len(_COLUMNS) :])
    known = [info.config.classes] if info else [FER2013, FERPLUS]
    if tuple(table.columns[: len(_COLUMNS)]) != _COLUMNS or all(names != v.classes for v in known):
        raise DataError(f"'{path.name}' has other class columns than {known[0].title}'s.")
    numeric = all(is_integer_dtype(table[c]) for c in ("row", *_LABELS)) and all(
        is_numeric_dtype(table[name]) for name in names
    )
    if not (numeric and is_bool_dtype(table["is_copy"]) and table["image_sha256"].notna().all()):
        raise DataError(f"'{path.name}' has a column of the wrong kind.")
    probabilities = table[list(names)].to_numpy(dtype=np.float64)
    if not np.isfinite(probabilities).all() or (probabilities < 0).any():
        raise DataError(f"'{path.name}' holds probabilities that are not finite or negative.")
    if len(table) and np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3:
        row = int(np.abs(probabilities.sum(axis=1) - 1).argmax())
        raise DataError(f"'{path.name}' row {row}: the probabilities don't sum to 1.")
    if not table["label"].between(0, len(names) - 1).all():
        raise DataError(f"'{path.name}' holds a label outside its {len(names)} classes.")
    for labels in (FER2013, FERPLUS):  # -1: none of this set
        if not table[f"label_{labels.name}"].between(-1, len(labels) - 1).all():
            raise DataError(f"'{path.name}' holds a label that {labels.title} does not have.")
    return table
