"""Saved evaluations drawn from a seed, for tests of what reads them: no model, no faces."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from fervt.labels import FER2013, FERPLUS, Vocabulary
from fervt.metrics import score, softmax

TO_FERPLUS = np.array([4, 5, 6, 1, 3, 2, 0])
TO_FER2013 = np.array([6, 3, 5, 4, 0, 1, 2, -1])
DIMENSIONS = 9


def save_evaluation(
    folder: Path,
    name: str = "alpha",
    *,
    count: int = 240,
    skill: float = 2.0,
    seed: int = 0,
    data_seed: int = 0,
    classes: Vocabulary = FER2013,
    split: str = "PrivateTest",
    checkpoint_sha256: str = "0" * 64,
    shas: list[str] | None = None,
    **metrics,
) -> Path:
    """Writes the four files; the labels follow from `data_seed`, the answers from `seed`.

    About a tenth of the rows have no FER+ majority, and a fifth another one than the label. Nobody
    is labeled disgust; the first eight rows are copies.
    """
    data, model = np.random.default_rng(data_seed), np.random.default_rng(1000 + seed)
    fer2013 = data.choice([0, 2, 3, 4, 5, 6], count)
    ferplus = np.where(data.random(count) < 0.2, data.integers(0, 8, count), TO_FERPLUS[fer2013])
    ferplus = np.where(data.random(count) < 0.1, -1, ferplus)
    if shas is None:
        shas = [hashlib.sha256(f"{data_seed} {i}".encode()).hexdigest() for i in range(count)]
    label = fer2013 if classes is FER2013 else ferplus
    logits = model.normal(size=(2, count, len(classes)))
    logits[:, np.arange(count), label] += skill
    probabilities = softmax(logits[0])
    answers = {
        "predictions": probabilities,
        "tta": (probabilities + softmax(logits[1])) / 2,
    }
    kept = label >= 0
    folder.mkdir(parents=True)
    figures = {}
    for file, values in answers.items():
        table = pd.DataFrame(
            {
                "row": np.arange(count) + 32298,
                "image_sha256": shas,
                "usage": split,
                "label": label,
                "label_fer2013": fer2013,
                "label_ferplus": ferplus,
                "is_copy": np.arange(count) < 8,
                **{c: values[:, i].astype(np.float32) for i, c in enumerate(classes.classes)},
            }
        )[kept].reset_index(drop=True)
        table.to_parquet(folder / f"{file}.parquet")
        parts = {"standard": table, "without_copies": table[~table["is_copy"]]}
        names = list(classes.classes)
        figures[file] = {
            part: asdict(
                score(rows[names].to_numpy(), rows["label"].to_numpy(), classes.classes, 1.2)
            )
            for part, rows in parts.items()
        }
    np.savez_compressed(
        folder / "embeddings.npz",
        image_sha256=np.array(shas)[kept],
        class_token=model.normal(size=(kept.sum(), DIMENSIONS)).astype(np.float16),
    )
    content = {
        "version": "0",
        "checkpoint": {"name": name, "sha256": checkpoint_sha256},
        "data": {
            "source": "drawn",
            "content_hash": "d" * 64,
            "split": split,
            "split_rule": "as drawn",
        },
        "classes": list(classes.classes),
        "labels": classes.name,
        "labels_seen": [classes.name],
        "temperature": 1.2,
        "neutralized": None,
        **figures["predictions"],
        "tta": figures["tta"],
        "parts": {"gwa_std_over_cells": 0.31, "gnn_readout_accuracy": None},
    } | metrics
    (folder / "metrics.json").write_text(json.dumps(content))
    return folder


__all__ = ["DIMENSIONS", "FER2013", "FERPLUS", "save_evaluation"]
