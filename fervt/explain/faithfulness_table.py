"""Faithfulness over many faces: measured once per checkpoint and kept, as one face can mislead."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervt.errors import DataError
from fervt.explain.faithfulness import Faithfulness
from fervt.resources import FAITHFULNESS


def summarize(measured: Sequence[Faithfulness]) -> dict[str, dict[str, Any]]:
    """Each source's gain over random orders, over faces.

    Args:
        measured: One measurement a face, all with the same sources.

    Returns:
        By source, for "deletion" and "insertion": `<side>_gain`, the mean over faces of how much
        better the area is than the mean of random orders; `<side>_interval_95` of that mean;
        `<side>_z`, the mean z-score; `<side>_share_better`, the share of faces with a gain; and a
        `verdict` in words. Above 0 is better than random on both sides.
    """
    table: dict[str, dict[str, Any]] = {}
    for index, source in enumerate(measured[0].deletion):
        row: dict[str, Any] = {}
        signs = []
        for side, sign in (("deletion", -1), ("insertion", 1)):
            gains = np.array(
                [
                    sign * (m.area(getattr(m, side)[source]) - m.area(_chance(m, side)).mean())
                    for m in measured
                ]
            )
            scores = [getattr(m.scores()[index], f"{side}_z") for m in measured]
            low, high = _interval(gains)
            signs.append(1 if low > 0 else -1 if high < 0 else 0)
            row |= {
                f"{side}_gain": round(float(gains.mean()), 5),
                f"{side}_interval_95": [round(low, 5), round(high, 5)],
                f"{side}_z": round(float(np.nanmean(scores)), 3),
                f"{side}_share_better": round(float((gains > 0).mean()), 4),
            }
        table[source] = {**row, "verdict": _judge(*signs)}
    return table


def compare_orders(
    measured: Sequence[Faithfulness], source: str, other: str
) -> dict[str, float | list[float]]:
    """How much better a source's order of cells is than another's on the same faces.

    Args:
        measured: One measurement a face, all with both sources.
        source: The one that is judged.
        other: The one that it is compared with.

    Returns:
        For "deletion" and "insertion": `<side>_gain`, the mean over faces of how much better the
        area is, and `<side>_interval_95` of that mean. Above 0 the source is better.
    """
    found: dict[str, float | list[float]] = {}
    for side, sign in (("deletion", -1), ("insertion", 1)):
        curves = [getattr(m, side) for m in measured]
        gains = np.array(
            [
                sign * (m.area(curve[source]) - m.area(curve[other]))
                for m, curve in zip(measured, curves, strict=True)
            ]
        )
        found[f"{side}_gain"] = round(float(gains.mean()), 5)
        found[f"{side}_interval_95"] = [round(end, 5) for end in _interval(gains)]
    return found


def _interval(gains: NDArray[np.floating]) -> tuple[float, float]:
    half = 1.96 * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.inf
    return float(gains.mean() - half), float(gains.mean() + half)


def _chance(measured: Faithfulness, side: str) -> np.ndarray:
    return measured.random_deletion if side == "deletion" else measured.random_insertion


def _judge(deletion: int, insertion: int) -> str:
    words = {1: "better than", 0: "no better than", -1: "worse than"}
    if deletion == insertion:
        return f"{words[deletion]} random"
    return f"deletion: {words[deletion]} random; insertion: {words[insertion]} random"


def is_current(entry: dict[str, Any]) -> bool:
    """Whether an entry has every comparison; earlier versions had none with mean maps."""
    return all("over_mean_map" in row for row in entry["sources"].values())


def read_table(checkpoint_sha256: str, path: Path = FAITHFULNESS) -> dict[str, Any] | None:
    """What was measured for a checkpoint's file; None if nothing was.

    Raises:
        DataError: The file is damaged.
    """
    if not path.is_file():
        return None
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["checkpoints"]
        found = (e for e in entries if e["checkpoint_sha256"] == checkpoint_sha256)
        return next(filter(is_current, found), None)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"The table '{path.name}' is damaged.") from error
