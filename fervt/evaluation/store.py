"""What ships: checkpoints beside their saved evaluations, described as plain data."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from fervt.checkpoint import load_checkpoint, read_info, shipped_checkpoints
from fervt.errors import DataError
from fervt.files import file_sha256
from fervt.model.cost import count_gmac, count_parameters
from fervt.resources import EVALUATIONS


def shipped_metrics(name: str) -> dict[str, dict[str, Any]]:
    """The saved metrics of a shipped checkpoint by split; empty where none was saved.

    Evaluations with a part switched off are not among them.

    Raises:
        DataError: A file is damaged.
    """
    found = {}
    for path in sorted((EVALUATIONS / name).glob("*/metrics.json")):
        try:
            metrics = json.loads(path.read_text())
        except ValueError as error:
            raise DataError(
                f"The saved metrics '{name}/{path.parent.name}' are damaged."
            ) from error
        if not metrics.get("neutralised"):
            found[path.parent.name] = metrics
    return found


def headline(metrics: dict[str, Any]) -> dict[str, Any]:
    """The few figures of a saved evaluation that a list shows."""
    standard, clean = metrics["standard"], metrics["without_copies"]
    tta = metrics["tta"]["standard"]
    return {
        "n": standard["n"],
        "accuracy": standard["accuracy"],
        "accuracy_interval_95": standard["accuracy_interval_95"],
        "macro_f1": standard["macro_f1"],
        "ece": standard["ece_calibrated"],
        "accuracy_without_copies": clean and clean["accuracy"],
        "n_without_copies": clean and clean["n"],
        "accuracy_flip_tta": tta["accuracy"],
        "labels": metrics["labels"],
    }


@lru_cache(maxsize=32)
def _weigh(path: Path, digest: str) -> tuple[int, float]:
    model, _ = load_checkpoint(path)
    return count_parameters(model), count_gmac(model)


def describe_checkpoint(name: str, path: Path) -> dict[str, Any]:
    """One checkpoint: what it is, how big, how costly, how good."""
    info = read_info(path)
    parameters, gmac = _weigh(path, file_sha256(path))
    return {
        "name": name,
        "description": info.description,
        "vocabulary": info.config.vocabulary,
        "classes": list(info.config.classes.classes),
        "labels_seen": list(info.labels_seen),
        "parameters": parameters,
        "file_bytes": path.stat().st_size,
        "gmac": gmac,
        "sha256": file_sha256(path),
        "metrics": {split: headline(m) for split, m in shipped_metrics(name).items()},
    }


def describe_shipped() -> list[dict[str, Any]]:
    """All shipped checkpoints, the flagship first."""
    return [describe_checkpoint(name, path) for name, path in shipped_checkpoints().items()]
