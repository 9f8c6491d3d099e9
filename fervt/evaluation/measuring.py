"""Measures evidence, parts, five crops and robustness of an evaluation, with progress."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fervt.checkpoint import CheckpointInfo
from fervt.data.prepared import PreparedData
from fervt.device import to_device
from fervt.errors import ConfigError, DataError
from fervt.evaluation.averaging import FiveCrop
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.corruptions import CONDITIONS, CORRUPTIONS, corrupt
from fervt.evaluation.evidence import LEAST_FACES, Edges, Evidence
from fervt.evaluation.measures import measure_faces
from fervt.evaluation.parts import measure_parts
from fervt.evaluation.parts_report import PartsReport
from fervt.evaluation.robustness import SAMPLE, Robustness, sample_rows
from fervt.explain.batch import read_evidence
from fervt.predict import Predictor, Reading
from fervt.progress import Progress, part_of
from fervt.threads import map_in_order, one_thread

_READING = 0.9  # share of the time; the rest measures the pictures themselves
_GRAY = 127
_BATCH = 64


def measure_evidence(
    report: Progress,
    predictor: Predictor,
    data: PreparedData,
    labels: NDArray[np.int64],
    occlusion: bool = False,
) -> Evidence:
    """Reads the evidence for every row and measures its picture.

    Args:
        report: Called with the progress.
        predictor: The checkpoint.
        data: The N rows of the evaluation, in its order.
        labels: (N,) indices into the checkpoint's classes.
        occlusion: As for `read_evidence`.

    Raises:
        DataError: There are no rows.
    """
    if not len(data):
        raise DataError("There are no faces to measure.")
    part = part_of(report, 0.0, _READING)
    found = read_evidence(predictor, data.images, occlusion=occlusion, progress=part)
    report(_READING, "Measuring the pictures")
    edges = None
    if found.edges is not None and found.edge_index is not None:
        edges = Edges.of(found.edge_index, found.edges)
    classes = len(predictor.classes)
    return Evidence(
        predictor.sha256,
        hash_rows(data.sha256.tolist()),
        {name: values.astype(np.float16) for name, values in found.maps.items()},
        {name: values.astype(np.float16) for name, values in measure_faces(data).items()},
        edges,
        np.stack([mean_face(data.images[labels == label]) for label in range(classes)]),
        mean_face(data.images),
        predictor.info.preprocess.crop,
    )


def mean_face(faces: NDArray[np.uint8], least: int = LEAST_FACES) -> NDArray[np.uint8]:
    """The mean (48, 48) of faces (n, 48, 48); even gray where there are fewer than `least`."""
    if len(faces) < least:
        return np.full(faces.shape[1:], _GRAY, np.uint8)
    return np.rint(faces.mean(axis=0)).astype(np.uint8)


def measure_five_crop(
    report: Progress, predictor: Predictor, data: PreparedData, batch_size: int = 16
) -> FiveCrop:
    """Averages the answers over five crops of each face.

    Args:
        report: Called with the progress.
        predictor: The checkpoint, run by PyTorch.
        data: The N rows of the evaluation, in its order.
        batch_size: Faces in one forward pass, which takes five windows of each.

    Raises:
        DataError: There are no rows.
        ConfigError: The checkpoint reads whole faces, see `require_crops`.
    """
    require_crops(predictor.info)
    if not len(data):
        raise DataError("There are no faces to measure.")
    model, preprocess, found = predictor.network, predictor.info.preprocess, []
    for start in range(0, len(data), batch_size):
        faces = data.images[start : start + batch_size]
        windows = np.concatenate(preprocess.five_crops(faces))
        with torch.inference_mode():
            logits = model(to_device(windows, predictor.device)).logits
        found.append(logits.softmax(dim=1).unflatten(0, (5, -1)).mean(dim=0).cpu())
        done = start + len(faces)
        report(done / len(data), f"Five crops: {done:,} of {len(data):,} faces")
    return FiveCrop(
        predictor.sha256, hash_rows(data.sha256.tolist()), torch.cat(found).float().numpy()
    )


def measure_contributions(
    report: Progress, predictor: Predictor, data: PreparedData, labels: NDArray[np.int64]
) -> PartsReport:
    """Measures what each part of the network contributes.

    Args:
        report: Called with the progress.
        predictor: The checkpoint, run by PyTorch.
        data: The N rows of the evaluation, in its order.
        labels: (N,) indices into the checkpoint's classes.

    Raises:
        DataError: There are fewer than two rows.
    """
    splits = dict.fromkeys(data.usage.tolist())
    return measure_parts(
        predictor.network,
        predictor.info,
        predictor.sha256,
        hash_rows(data.sha256.tolist()),
        " and ".join(splits),
        data.images,
        labels,
        report,
    )


def require_crops(info: CheckpointInfo) -> None:
    """Makes sure that a checkpoint reads less than the whole face.

    Raises:
        ConfigError: It does not, so its five crops would all be the same.
    """
    if info.preprocess.crop >= 1:
        raise ConfigError(
            "This checkpoint reads the whole face, so five crops of it would all be the same."
        )


def measure_robustness(
    report: Progress,
    predictor: Predictor,
    data: PreparedData,
    labels: NDArray[np.int64],
    sample: int = SAMPLE,
    begun: Robustness | None = None,
    keep: Callable[[Robustness], object] = lambda found: None,
) -> Robustness:
    """Classifies a sample of the rows, uncorrupted and in each of fifty conditions.

    Args:
        report: Called with the progress.
        predictor: The checkpoint.
        data: The N rows of the evaluation, in its order.
        labels: (N,) indices into the checkpoint's classes.
        sample: How many of them, see `sample_rows`.
        begun: The result of an interrupted run; it is continued if it is of the same sample.
        keep: Called with the result so far after each condition.

    Raises:
        DataError: There are no rows, or the sample is empty.
    """
    if not len(data):
        raise DataError("There are no faces to measure.")
    if sample < 1:
        raise DataError("The sample must have at least one face.")
    table = pd.DataFrame({"label": labels, "image_sha256": data.sha256})
    chosen = sample_rows(table, sample)
    found = Robustness.empty(predictor.sha256, hash_rows(data.sha256.tolist()), chosen)
    if begun is not None and _goes_on(begun, found):
        found = begun
    faces, digests = data.images[chosen], data.sha256[chosen].tolist()
    plain: NDArray[np.float32] | None = None
    for at in range(len(CONDITIONS) + 1):
        if found.predicted[at, 0] >= 0 and at:
            continue
        doing, corrupted = "The faces as they are", faces
        if at:
            kind, level = CONDITIONS[at - 1]
            doing = f"{CORRUPTIONS[kind].title}, strength {level} of 5"
            corrupted = corrupt(faces, digests, kind, level)
        report(at / (len(CONDITIONS) + 1), doing)
        readings = _classify(predictor, corrupted)
        chances = np.stack([reading.probabilities for reading in readings])
        found.predicted[at] = chances.argmax(axis=1)
        found.confidence[at] = chances.max(axis=1)
        weights = [reading.gwa for reading in readings if reading.gwa is not None]
        if weights:
            maps = np.stack(weights).reshape(len(faces), -1)
            plain = maps if plain is None else plain
            found.evidence[at] = _correlation(maps, plain)
        keep(found)
    report(1.0, "Done")
    return found


def _classify(predictor: Predictor, faces: NDArray[np.uint8]) -> list[Reading]:
    """Classifies faces, with a batch on each core: the network's layers are too small to share."""

    def classify(batch: NDArray[np.uint8]) -> list[Reading]:
        with one_thread():
            return predictor.classify(batch, ["gwa"])

    batches = [faces[start : start + _BATCH] for start in range(0, len(faces), _BATCH)]
    return [reading for readings in map_in_order(classify, batches) for reading in readings]


def _goes_on(begun: Robustness, fresh: Robustness) -> bool:
    return (
        begun.checkpoint_sha256 == fresh.checkpoint_sha256
        and begun.rows_sha256 == fresh.rows_sha256
        and np.array_equal(begun.positions, fresh.positions)
    )


def _correlation(maps: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """Mean over faces of the correlation over cells; constant maps have none and don't count."""
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (maps, others))
    length = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return float(((a * b).sum(axis=1)[length > 0] / length[length > 0]).mean())
