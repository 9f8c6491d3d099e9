"""Kills `fervt` verbs at random moments; checks what is left and whether a rerun succeeds.

    python -m scripts.crash                        # each verb 20 times
    python -m scripts.crash --count 5 --verbs evaluate video

Half of the runs find the results of an earlier one. After each kill, every result must be either
the old one or the new one, complete. The same command must then succeed and leave nothing but its
results. Finally, the output folder is deleted while a verb runs.

Verbs run as under `python -m fervt`, but are forked from a process that has already imported them,
since importing takes longer than everything else.
"""

import argparse
import contextlib
import csv
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the tests generate the inputs

SLOW_S = 600.0
POLL_S = 0.002
EARLY = 0.2  # share of the kills before the first file is written
VERBS = ("predict", "evaluate", "train", "video", "prepare", "report")
IMPORTED = [f"fervt.cli.{verb}" for verb in VERBS]
CONTEXT = multiprocessing.get_context("forkserver")

Results = dict[str, Any]


@dataclass(frozen=True)
class Verb:
    """A verb under test.

    Attributes:
        command: Makes the arguments from the output folder and whether this is the earlier run.
        read: Reads the output folder into comparable results by name; raises if one is damaged.
        steps: Whether intermediate results are valid, such as the epochs of a training run.
        earlier: Whether the output folder may hold the results of an earlier run.
    """

    command: Callable[[Path, bool], list[str]]
    read: Callable[[Path], Results]
    steps: bool = False
    earlier: bool = True


@dataclass
class Tally:
    """The outcome of killing one verb repeatedly."""

    killed: int = 0
    lost: int = 0
    failed: int = 0
    left: int = 0
    unfinished: int = 0
    vanished: int = 0
    unclear: int = 0

    def row(self, name: str) -> str:
        """A row of the table."""
        numbers = (self.killed, self.lost, self.failed, self.left, self.unfinished)
        return f"| `{name}` | {' | '.join(map(str, numbers))} | {self.vanished} | {self.unclear} |"


def write_inputs(folder: Path) -> None:
    """Generates the inputs of the verbs."""
    import numpy as np
    from film import astronaut_frames, write_film
    from PIL import Image
    from synthetic import save_evaluation
    from tiny import save_tiny, tiny_data

    from fervt.data.prepared import write_prepared

    for name, seed in (("old", 1), ("new", 2)):
        save_tiny(folder / f"{name}.safetensors", seed)
        save_evaluation(folder / f"{name}.evaluation", f"{name}-checkpoint", seed=seed)
        write_prepared(tiny_data(12, seed), folder / f"{name}.parquet")
        frames = 12 * seed
        write_film(folder / f"{name}.avi", astronaut_frames(320, 240, frames), "mjpeg", "yuvj420p")
        photos = folder / name
        photos.mkdir()
        for number, frame in enumerate(astronaut_frames(320, 240, 40 * seed)):
            Image.fromarray(frame).save(photos / f"{number:03d}.jpg")
        draw = np.random.default_rng(seed)
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["emotion", "pixels", "Usage"])
            for row in range(900):
                pixels = " ".join(map(str, draw.integers(0, 256, 48 * 48)))
                usage = ("Training", "PublicTest", "PrivateTest")[row % 3]
                writer.writerow([row % 7, pixels, usage])


def make_verbs(inputs: Path) -> dict[str, Verb]:
    """The verbs by name."""

    def chosen(old: bool, suffix: str) -> str:
        return str(inputs / f"{'old' if old else 'new'}{suffix}")

    checkpoint = str(inputs / "new.safetensors")
    tiny = "--image-size 28 --width 16 --embed-dim 16 --heads 2 --depth 1 --gwa-dim 8 --gwa-heads 2"
    tiny += " --node-dim 8 --gat-heads 2 --epochs 6 --batch-size 16 --amp off --threads 1 --resume"
    return {
        "predict --out": Verb(
            lambda out, old: [
                "predict", chosen(old, ""), "--out", f"{out}/table.parquet", "--workers", "1",
                "--checkpoint", checkpoint,
            ],
            _read_table,
        ),
        "evaluate": Verb(
            lambda out, old: [
                "evaluate", "--checkpoint", chosen(old, ".safetensors"), "--data",
                chosen(False, ".parquet"), "--out", f"{out}/evaluation",
            ],
            _read_evaluation,
        ),
        "train": Verb(
            lambda out, old: [
                "train", "--data", chosen(False, ".parquet"), "--out", str(out), *tiny.split(),
            ],
            _read_training, steps=True, earlier=False,
        ),
        "video": Verb(
            lambda out, old: [
                "video", chosen(old, ".avi"), "--out", f"{out}/film.mp4", "--csv",
                f"{out}/film.csv", "--checkpoint", checkpoint,
            ],
            _read_film,
        ),
        "prepare": Verb(
            lambda out, old: ["prepare", chosen(old, ".csv"), "--out", f"{out}/faces.parquet"],
            _read_prepared,
        ),
        "report": Verb(
            lambda out, old: [
                "report", "--checkpoint", chosen(old, ".evaluation"), "--out", f"{out}/report.html",
            ],
            _read_report,
        ),
    }  # fmt: skip


def _read_table(out: Path) -> Results:
    import pandas as pd

    path = out / "table.parquet"
    return {"table": len(pd.read_parquet(path))} if path.exists() else {}


def _read_evaluation(out: Path) -> Results:
    from fervt.evaluation.saved import read_evaluation

    folder = out / "evaluation"
    if not (folder / "metrics.json").exists():
        return {}
    found = read_evaluation(folder)
    found.embeddings()
    if abs(found.rows().scores.accuracy - found.metrics.standard.accuracy) > 1e-9:
        raise ValueError("The figures belong to other tables.")
    return {"evaluation": found.metrics.checkpoint.sha256}


def _read_training(out: Path) -> Results:
    import torch

    from fervt.checkpoint import load_checkpoint

    found: Results = {}
    if (out / "state.pt").exists():
        state = torch.load(out / "state.pt", weights_only=True)
        found["state"] = state["progress"]["epoch"]
    if (out / "best.safetensors").exists():
        load_checkpoint(out / "best.safetensors")
        found["best"] = True
    return found


def _read_film(out: Path) -> Results:
    import av

    found: Results = {}
    if (out / "film.mp4").exists():
        with av.open(str(out / "film.mp4")) as film:
            found["film"] = sum(1 for _ in film.decode(video=0))
    if (out / "film.csv").exists():
        found["readings"] = len((out / "film.csv").read_text().splitlines())
    return found


def _read_prepared(out: Path) -> Results:
    from fervt.data.prepared import read_prepared

    path = out / "faces.parquet"
    return {"faces": read_prepared(path).content_hash} if path.exists() else {}


def _read_report(out: Path) -> Results:
    path = out / "report.html"
    if not path.exists():
        return {}
    text = path.read_text()
    if not text.rstrip().endswith("</html>"):
        raise ValueError("The report is cut off.")
    return {"report": [name for name in ("old", "new") if f"{name}-checkpoint" in text]}


def _run_verb(arguments: list[str], said: str) -> None:
    os.setsid()
    with open(said, "w") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    from fervt.__main__ import main

    sys.argv = ["fervt", *arguments]
    sys.exit(main())


class Runner:
    """Runs one verb repeatedly.

    Args:
        verb: The verb.
        folder: Holds its output.
        draw: Chooses the moments.
    """

    def __init__(self, verb: Verb, folder: Path, draw: random.Random) -> None:
        self._verb, self._draw = verb, draw
        self._out, self._before = folder / "out", folder / "before"
        self._said = folder / "said.txt"
        self._old: Results = {}
        self.tally = Tally()
        if verb.earlier:
            self._restore(False)
            self._finish(True)
            self._old = verb.read(self._out)
            shutil.copytree(self._out, self._before)
        self._restore(False)
        process, started = self._start(False), time.monotonic()
        self._wait_for_a_file(process)
        self._first_s = time.monotonic() - started
        process.join(SLOW_S)
        self._rest_s = time.monotonic() - started - self._first_s
        if process.exitcode:
            raise RuntimeError(self._said.read_text())
        self._new = verb.read(self._out)

    def _restore(self, earlier: bool) -> None:
        shutil.rmtree(self._out, ignore_errors=True)
        if earlier:
            shutil.copytree(self._before, self._out)
        else:
            self._out.mkdir()

    def _start(self, old: bool) -> BaseProcess:
        arguments = self._verb.command(self._out, old)
        process = CONTEXT.Process(target=_run_verb, args=(arguments, str(self._said)))
        process.start()
        return process

    def _finish(self, old: bool) -> bool:
        process = self._start(old)
        process.join(SLOW_S)
        return process.exitcode == 0

    def _wait_for_a_file(self, process: BaseProcess) -> None:
        known = self._files()
        while process.is_alive() and self._files() == known:
            time.sleep(POLL_S)

    def _files(self) -> set[tuple[str, int]]:
        with contextlib.suppress(OSError):  # a file may vanish between listing and reading
            return {(str(p), p.stat().st_mtime_ns) for p in self._out.rglob("*")}
        return set()

    def _wait_for_a_moment(self, process: BaseProcess) -> None:
        if self._draw.random() < EARLY:
            time.sleep(self._draw.uniform(0, self._first_s))
            return
        self._wait_for_a_file(process)
        time.sleep(self._draw.uniform(0, self._rest_s))

    def kill(self) -> None:
        """Kills one run, checks what is left, and runs the same command again."""
        earlier = self._verb.earlier and self.tally.killed % 2 == 1
        self._restore(earlier)
        process = self._start(False)
        self._wait_for_a_moment(process)
        if not process.is_alive():
            self._rest_s *= 0.7  # the machine was slower before
            return
        assert process.pid is not None
        with contextlib.suppress(ProcessLookupError):  # it may not have its own group yet
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join(SLOW_S)
        if process.exitcode == 0:
            return
        self.tally.killed += 1
        self.tally.unfinished += bool(self._unfinished())
        self.tally.lost += not self._is_whole(earlier)
        self.tally.failed += not (self._finish(False) and self._verb.read(self._out) == self._new)
        self.tally.left += bool(self._unfinished())

    def _is_whole(self, earlier: bool) -> bool:
        try:
            found = self._verb.read(self._out)
        except Exception as error:  # any error means that the result is unusable
            print(f"damaged: {error!r}", flush=True)
            return False
        if self._verb.steps:
            return True
        for name, new in self._new.items():
            allowed = (self._old[name], new) if earlier else (None, new)
            if found.get(name) not in allowed:
                print(f"lost: {name} is {found.get(name)!r}", flush=True)
                return False
        return True

    def _unfinished(self) -> list[Path]:
        return [*self._out.rglob("*.part"), *self._out.rglob("*.parts")]

    def take_away(self) -> None:
        """Deletes the output folder while the verb runs: it must succeed or say why it can't."""
        self._restore(False)
        process = self._start(False)
        self._wait_for_moment_after_start(process)
        shutil.rmtree(self._out, ignore_errors=True)
        process.join(SLOW_S)
        said = self._said.read_text()
        last = said.strip().splitlines()[-1:] or [""]
        sentence = process.exitcode == 2 and last[0].startswith("fervt: ")
        self.tally.vanished += 1
        if "Traceback" in said or not (process.exitcode == 0 or sentence):
            self.tally.unclear += 1
            print(f"unclear: exit {process.exitcode}: {said[-600:]}", flush=True)

    def _wait_for_moment_after_start(self, process: BaseProcess) -> None:
        self._wait_for_a_file(process)
        time.sleep(self._draw.uniform(0, 0.7 * self._rest_s))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=20, help="kills per verb")
    parser.add_argument("--vanish", type=int, default=3, help="how often the folder is deleted")
    parser.add_argument("--verbs", nargs="+", help="first words of the verbs; default: all")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    CONTEXT.set_forkserver_preload(IMPORTED)
    draw = random.Random(args.seed)
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as name:
        inputs = Path(name) / "inputs"
        inputs.mkdir()
        write_inputs(inputs)
        for verb, about in make_verbs(inputs).items():
            if args.verbs and verb.split()[0] not in args.verbs:
                continue
            folder = Path(name) / verb.split()[0]
            folder.mkdir()
            runner = Runner(about, folder, draw)
            for _ in range(6 * args.count):  # some finish before they are killed
                if runner.tally.killed < args.count:
                    runner.kill()
            for _ in range(args.vanish):
                runner.take_away()
            tallies[verb] = runner.tally
            print(verb, json.dumps(vars(runner.tally)), flush=True)
    heads = ("verb", "killed", "lost or damaged", "failed reruns", "left by the rerun")
    heads += ("unfinished files after the kill", "output folder deleted", "no clear error")
    print("| " + " | ".join(heads) + " |")
    print("|" + len(heads) * "---|")
    for verb, tally in tallies.items():
        print(tally.row(verb))
    return int(any(t.lost or t.failed or t.left or t.unclear for t in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
