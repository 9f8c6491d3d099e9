"""Measures how faithful each evidence source is over many faces.

It writes assets/faithfulness.json and docs/faithfulness.md.

    python -m scripts.faithfulness --data prepared.parquet [--checkpoint NAME] [--faces 500]

Faces are drawn with a fixed seed from PublicTest, without copies of training faces; the target is
the class that the checkpoint predicts. Each source is also compared with its mean map over these
faces: a map that says something about a face must do better than one that is the same for all.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from fervt.checkpoint import find_checkpoint, shipped_checkpoints
from fervt.cli.ending import run_to_end
from fervt.data.prepared import read_prepared
from fervt.errors import ConfigError
from fervt.explain import SOURCES, explain_face, measure_faithfulness
from fervt.explain.faithfulness_table import compare_orders, is_current, summarize
from fervt.explain.trace import Array
from fervt.files import file_sha256, write_aside
from fervt.predict import Predictor
from fervt.resources import FAITHFULNESS, ROOT

SPLIT = "PublicTest"
PAGE = ROOT / "docs" / "faithfulness.md"
_MEAN = "mean of "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--checkpoint", help="name or file; the flagship by default")
    parser.add_argument("--faces", type=int, default=500, help="at least 2")
    parser.add_argument("--seeds", type=int, default=20, help="random orders per face")
    parser.add_argument("--cells-per-step", type=int, default=7)
    args = parser.parse_args()
    write_table(FAITHFULNESS, measure(args))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    if args.faces < 2:
        raise ConfigError("--faces must be at least 2.")
    checkpoint = find_checkpoint(args.checkpoint)
    predictor = Predictor(checkpoint)
    data = read_prepared(args.data, (SPLIT,))
    originals = np.flatnonzero([other == "" for other in data.other_splits])
    rows = np.random.default_rng(0).permutation(originals)[: args.faces]
    explained = []
    for row in tqdm(np.sort(rows), unit="face", desc="explained"):
        explanation = explain_face(predictor, data.images[row])
        target = explanation.predicted
        explained.append((row, target, explanation.maps(target)))
    means = mean_maps([maps for _, _, maps in explained])
    measured = [
        measure_faithfulness(
            predictor,
            data.images[row],
            maps | means,
            target,
            cells_per_step=args.cells_per_step,
            random_orders=args.seeds,
            seed=int(row),
        )
        for row, target, maps in tqdm(explained, unit="face", desc="measured")
    ]
    table = summarize(measured)
    return {
        "checkpoint": checkpoint.stem,
        "checkpoint_sha256": file_sha256(checkpoint),
        "split": SPLIT,
        "faces": len(measured),
        "random_orders": args.seeds,
        "cells_per_step": args.cells_per_step,
        "target": "predicted class",
        "sources": {
            key: table[key] | {"over_mean_map": compare_orders(measured, key, _MEAN + key)}
            for key in explained[0][2]
        },
    }


def mean_maps(maps: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """Each source's mean over the faces, whose maps are standardized so that all count the same."""
    means = {}
    for key in maps[0]:
        values = np.stack([each[key].astype(float) for each in maps])
        values -= values.mean(axis=(1, 2), keepdims=True)
        values /= np.maximum(values.std(axis=(1, 2), keepdims=True), 1e-12)
        means[_MEAN + key] = values.mean(axis=0)
    return means


def write_table(path: Path, entry: dict[str, Any]) -> None:
    """Replaces this checkpoint's earlier entry and rewrites both files, the flagship first."""
    entries = json.loads(path.read_text())["checkpoints"] if path.is_file() else []
    others = [e for e in entries if e["checkpoint"] != entry["checkpoint"]]
    rank = {name: place for place, name in enumerate(shipped_checkpoints())}
    entries = sorted(
        [*filter(is_current, others), entry],
        key=lambda found: rank.get(found["checkpoint"], len(rank)),
    )
    table, page = json.dumps({"checkpoints": entries}, indent=1) + "\n", as_markdown(entries)
    for file, content in ((path, table), (PAGE, page)):
        with write_aside(file) as aside:
            aside.write_text(content)


def as_markdown(entries: list[dict[str, Any]]) -> str:
    lines = [
        "# Are the explanations faithful?",
        "",
        "Cells are hidden (deletion) or revealed on a gray square (insertion) in the order of each",
        "map. The gain is the improvement of the area under the probability curve over the mean",
        "of random orders, with a 95% interval over faces: above 0 is better than random. z is the",
        "same in standard deviations of the random orders, averaged over faces. This is evidence,",
        "not proof: in training, a face had at most one erased rectangle. Occlusion measures the",
        "same quantity as deletion, so a high score is expected of it: read it as an upper",
        "reference point.",
        "",
        "Faces have their parts in the same places, so a map that is the same for every face can",
        "do well, too. The second table says how well each source's mean map does, and how much",
        "better the maps of the single faces are. The mean is over the maps of all faces, each",
        "standardized first. Grad-CAM and occlusion are about one class: part of their gain is",
        "knowing it.",
    ]
    for entry in entries:
        lines += [
            "",
            f"## {entry['checkpoint']}",
            "",
            f"n = {entry['faces']} {entry['split']} faces, {entry['random_orders']} random orders "
            f"per face, {entry['cells_per_step']} cells per step, target: {entry['target']}; "
            f"checkpoint SHA-256 `{entry['checkpoint_sha256']}`.",
            "",
            *table(
                entry,
                "deletion gain | z | faces above random | insertion gain | z | "
                "faces above random | verdict",
                over_random,
            ),
            "",
            *table(
                entry,
                "its mean map's deletion gain | deletion gain over its mean map | "
                "its mean map's insertion gain | insertion gain over its mean map",
                over_mean,
            ),
        ]
    lines += [
        "",
        "`python -m scripts.faithfulness --data data/fer2013.parquet` repeats the measurement.",
    ]
    return "\n".join(lines) + "\n"


def table(
    entry: dict[str, Any], titles: str, cells: Callable[[dict[str, Any]], list[str]]
) -> list[str]:
    """A Markdown table with a line for each source."""
    lines = [f"| map | {titles} |", "|---" * (2 + titles.count("|")) + "|"]
    for key, row in entry["sources"].items():
        lines.append(f"| {' | '.join([SOURCES[key].title, *cells(row)])} |")
    return lines


def over_random(row: dict[str, Any]) -> list[str]:
    cells = []
    for side in ("deletion", "insertion"):
        above = f"{row[f'{side}_share_better']:.0%}"
        cells += [gain(row, side), f"{row[f'{side}_z']:+.2f}", above]
    return [*cells, row["verdict"]]


def over_mean(row: dict[str, Any]) -> list[str]:
    cells, over = [], row["over_mean_map"]
    for side in ("deletion", "insertion"):
        own = row[f"{side}_gain"] - over[f"{side}_gain"]
        cells += [f"{own:+z.4f}", gain(over, side)]
    return cells


def gain(row: dict[str, Any], side: str) -> str:
    low, high = row[f"{side}_interval_95"]
    return f"{row[f'{side}_gain']:+z.4f} ({low:+z.4f} to {high:+z.4f})"


if __name__ == "__main__":
    sys.exit(run_to_end("faithfulness", main))
