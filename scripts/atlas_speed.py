"""Measures how long Evaluation's tabs "Where it looks" and "Slices" take, and prints a table.

python -m scripts.atlas_speed                    # the shipped evaluation
python -m scripts.atlas_speed --rows 100000      # repeated to this many rows

Runs the page in Streamlit's test runner, without a browser. Prints wall-clock time and CPU time,
which hardly depends on the machine's other load.
"""

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from streamlit.testing.v1 import AppTest

from fervt import resources
from fervt.checkpoint import find_checkpoint
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.evidence import Edges
from fervt.evaluation.saved import Evaluation, SavedEvaluation, read_evaluation

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 300
GOALS = {False: 0.6, True: 3.0}  # seconds, for thousands and for a hundred thousand rows
LARGE = 20_000


def repeat(saved: SavedEvaluation, rows: int, folder: Path) -> None:
    """Writes an evaluation with this many rows, with evidence, by repeating an existing one.

    Every row gets its own image hash; its maps vary a little, so they don't compress to
    nothing.
    """
    at = np.arange(rows) % len(saved.plain)
    random = np.random.default_rng(0)
    digests = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(rows)]
    tables = [
        each.iloc[at].reset_index(drop=True).assign(image_sha256=digests, row=np.arange(rows))
        for each in (saved.plain, saved.mirrored)
    ]
    tokens = saved.embeddings()[at].astype(np.float16)
    Evaluation(saved.metrics, *tables, tokens).write(folder)
    evidence = saved.evidence()
    assert evidence is not None
    noise = random.normal(1, 0.02, (rows, 1))
    edges = evidence.edges
    replace(
        evidence,
        rows_sha256=hash_rows(digests),
        maps={name: (v[at] * noise).astype(np.float16) for name, v in evidence.maps.items()},
        measures={name: v[at] for name, v in evidence.measures.items()},
        edges=None if edges is None else Edges(edges.index, edges.steps[at]),
    ).write(folder)


def visit(app: AppTest, **parameters: str) -> None:
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    if app.exception:
        raise SystemExit(f"atlas_speed: the page failed: {app.exception[0].message}")


def steps(checkpoint: str) -> dict[str, Callable[[int], None]]:
    """A visitor's actions, each on a page that is already open."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=TIMEOUT_S)
    app.query_params["checkpoint"] = checkpoint
    app.query_params["view"] = "Where it looks"
    app.switch_page("pages/evaluation.py")
    app.run()
    labels = ("fear", "happy", "sad", "angry", "surprise", "neutral")
    return {
        "Where it looks": lambda _: visit(app),
        "another cell of the confusion matrix": lambda i: visit(
            app, label=labels[i % 6], predicted=labels[(i + 1 + i // 6) % 6]
        ),
        "the graph's edges": lambda i: visit(app, evidence="gat", label=labels[i % 6]),
        "Slices": lambda _: visit(app, view="Slices"),
    }


def measure(checkpoint: str, rounds: int) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for name, act in steps(checkpoint).items():
        act(0)  # warm
        found[name] = []
        for number in range(1, rounds + 1):
            wall, processor = time.perf_counter(), time.process_time()
            act(number)
            found[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, help="repeat the shipped evaluation to this many")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    name = find_checkpoint().stem
    saved = read_evaluation(resources.EVALUATIONS / name / "PrivateTest")
    with TemporaryDirectory() as folder:
        rows = args.rows or len(saved.plain)
        if args.rows:
            repeat(saved, rows, Path(folder) / name / "PrivateTest")
            resources.EVALUATIONS = Path(folder)
        found = measure(name, args.rounds)
    goal = GOALS[rows >= LARGE]
    print(f"| {rows:,} rows, warm | median s | slowest s | CPU s | goal s |")
    print("|---|---|---|---|---|")
    for title, seconds in found.items():
        wall, processor = zip(*seconds, strict=True)
        middle = statistics.median(wall), max(wall), statistics.median(processor)
        print(f"| {title} | " + " | ".join(f"{each:.2f}" for each in middle) + f" | {goal:.1f} |")


if __name__ == "__main__":
    main()
