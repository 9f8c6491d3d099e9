"""What lies beside a drawn evaluation, drawn from a seed too: no model, no faces."""

from pathlib import Path

import numpy as np

from fervt.evaluation.averaging import FiveCrop
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.evidence import Edges, Evidence
from fervt.evaluation.parts_report import Following, PartChange, PartsReport, hash_labels
from fervt.evaluation.robustness import Robustness
from fervt.evaluation.saved import read_evaluation
from fervt.metrics import softmax

EDGES = np.array(
    [(r * 7 + c, r * 7 + c) for r in range(7) for c in range(7)]
    + [(r * 7 + c, r * 7 + c + 1) for r in range(7) for c in range(6)]
    + [(r * 7 + c + 1, r * 7 + c) for r in range(7) for c in range(6)]
    + [(r * 7 + c, r * 7 + c + 7) for r in range(6) for c in range(7)]
    + [(r * 7 + c + 7, r * 7 + c) for r in range(6) for c in range(7)]
).T


def save_evidence(folder: Path, seed: int = 0, template: bool = False) -> Evidence:
    """Writes evidence.npz; wrong answers look more at cell (5, 3), and less along edge 60."""
    saved = read_evaluation(folder)
    random, count = np.random.default_rng(seed), len(saved.plain)
    rows, classes = saved.rows(), len(saved.vocabulary)
    one = random.uniform(0.2, 1.8, 49)
    gwa = one + random.normal(0, 0.02 if template else 0.6, (count, 49))
    gwa[:, 5 * 7 + 3] += 2.0 * ~rows.right
    edges = random.uniform(0.1, 0.3, (count, EDGES.shape[1]))
    edges[rows.right, 60] += 0.3
    evidence = Evidence(
        saved.metrics.checkpoint.sha256,
        hash_rows(saved.plain["image_sha256"]),
        {
            "gwa": gwa.astype(np.float16),
            "gat": random.uniform(0.5, 1.5, (count, 49)).astype(np.float16),
            "occlusion": random.normal(0, 0.1, (count, 49)).astype(np.float16),
        },
        {
            "brightness": random.normal(120, 20, count).astype(np.float16),
            "agreement": np.full(count, np.nan, np.float16),
        },
        Edges.of(EDGES, edges),
        np.full((classes, 48, 48), 127, np.uint8),
        np.full((48, 48), 127, np.uint8),
    )
    evidence.write(folder)
    return evidence


def save_robustness(folder: Path, count: int = 60, done: int = 51, seed: int = 0) -> Robustness:
    """Writes robustness.npz; ever more answers are wrong the stronger a corruption is."""
    saved = read_evaluation(folder)
    found = Robustness.empty(
        saved.metrics.checkpoint.sha256,
        hash_rows(saved.plain["image_sha256"]),
        np.arange(min(count, len(saved.plain))),
    )
    random = np.random.default_rng(seed)
    labels = saved.plain["label"].to_numpy()[found.positions]
    for at in range(done):
        level = (at - 1) % 5 + 1 if at else 0
        wrong = random.random(len(found)) < 0.12 * level
        found.predicted[at] = np.where(wrong, (labels + 1) % len(saved.vocabulary), labels)
        found.confidence[at] = 0.8
        found.evidence[at] = 1 - 0.1 * level
    found.write(folder)
    return found


def save_five_crop(folder: Path, seed: int = 0) -> FiveCrop:
    """Writes five_crop.npz, whose answers differ from those of the other tables."""
    saved = read_evaluation(folder)
    labels, classes = saved.plain["label"].to_numpy(), len(saved.vocabulary)
    logits = np.random.default_rng(seed).normal(size=(len(labels), classes))
    logits[np.arange(len(labels)), labels] += 1.5
    found = FiveCrop(
        saved.metrics.checkpoint.sha256,
        hash_rows(saved.plain["image_sha256"]),
        softmax(logits).astype(np.float32),
    )
    found.write(folder)
    return found


def save_parts(
    folder: Path, cost: float = 0.1, share: float = 0.31, stays: float = 0.45
) -> PartsReport:
    """Writes parts.json of attention that follows the face, and which costs that much if off.

    Args:
        folder: Of a saved evaluation.
        cost: In shares of the faces.
        share: Of the variance that the mean map explains.
        stays: Correlation with the old map left in place, against 0.95 for following.
    """
    saved = read_evaluation(folder)
    accuracy = saved.rows().scores.accuracy
    off = PartChange("GWA off", accuracy - cost, -cost, -cost - 0.01, -cost + 0.01)
    found = PartsReport(
        saved.metrics.checkpoint.sha256,
        hash_rows(saved.plain["image_sha256"]),
        hash_labels(saved.plain["label"].tolist()),
        saved.split,
        len(saved.plain),
        accuracy,
        share,
        (
            Following("one cell right", 0.96, stays - 0.01),
            Following("one cell down", 0.95, stays),
            Following("zoomed by 1.3", 0.72, 0.6),
        ),
        (PartChange("the mean map", accuracy, 0.0, -0.004, 0.004), off),
    )
    found.write(folder)
    return found
