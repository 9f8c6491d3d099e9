"""The optional files of a saved evaluation: what was measured besides its predictions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from fervt.errors import DataError
from fervt.evaluation import averaging, evidence, parts_report, robustness
from fervt.evaluation.metrics import Metrics

T = TypeVar("T")

MORE_FILES: dict[str, Callable[..., Any]] = {
    evidence.FILE: evidence.read_evidence_file,
    robustness.FILE: robustness.read_robustness,
    parts_report.FILE: parts_report.read_parts,
    averaging.FILE: averaging.read_five_crop,
}
"""Their readers by name."""


def read_beside(
    read: Callable[..., T | None], folder: Path, metrics: Metrics, plain: pd.DataFrame
) -> T | None:
    """Reads one of them, which says by hashes what it belongs to; None if it isn't there.

    Args:
        read: One of the readers.
        folder: Of the evaluation.
        metrics: The evaluation's.
        plain: Its table of predictions.

    Raises:
        DataError: It is damaged, or belongs to another checkpoint or other rows.
    """
    images, labels = plain["image_sha256"].tolist(), plain["label"].tolist()
    # Of these, only the parts' figures depend on the labels.
    more = [labels] if read is parts_report.read_parts else []
    return read(folder, metrics.checkpoint.sha256, images, len(metrics.classes), *more)


def stale_files(folder: Path, metrics: Metrics, plain: pd.DataFrame) -> list[str]:
    """Those in a folder that don't belong to these predictions."""
    stale = []
    for name, read in MORE_FILES.items():
        try:
            read_beside(read, folder, metrics, plain)
            fits = metrics.neutralized is None
        except DataError:
            fits = False
        if not fits:
            stale.append(name)
    return stale
