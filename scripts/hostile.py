"""Tests every reader against thousands of damaged and malicious files.

    python -m scripts.hostile --count 5000
    python -m scripts.hostile --count 200 --kinds images films --seed 7

Each input is a seeded mutation of a valid file, so its number identifies it for good. Inputs are
tried in processes with at most 1 GB of memory on top of their libraries and 5 s of CPU time per
input; anything but an answer or a `FervtError` is a failure, and so is a half-written file.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fervt.errors import FervtError
from fervt.sandbox.limits import limit_cpu, limit_memory

ROOT = Path(__file__).parents[1]
# Together in one process, since importing PyTorch takes longer than hundreds of inputs.
LIGHT = ("images", "zips", "tables")
HEAVY = ("films", "checkpoints", "evaluations", "settings", "requests")
KINDS = LIGHT + HEAVY

_MEMORY_BYTES, _CPU_S, _WALL_S = 1_000_000_000, 5, 60.0


@dataclass
class Tally:
    """The results of a run.

    Attributes:
        tried: Inputs by kind.
        refused: Those rejected with a message, by kind.
        failures: For each failed input, its kind and number, and how it ended.
    """

    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def run(count: int, seed: int = 0, kinds: Sequence[str] = KINDS) -> Tally:
    """Tries the same number of inputs of each kind.

    Args:
        count: How many in total.
        seed: Determines the inputs.
        kinds: Some of `KINDS`.
    """
    tally = Tally()
    for group in (LIGHT, HEAVY):
        chosen = [kind for kind in kinds if kind in group]
        each = [f"{kind}:{number}" for number in range(-(-count // len(kinds))) for kind in chosen]
        while each:
            each = _run_some(each, seed, tally)
    return tally


def _run_some(inputs: list[str], seed: int, tally: Tally) -> list[str]:
    """Tries inputs in one process; returns the remaining ones if it dies."""
    kinds = sorted({name.partition(":")[0] for name in inputs})
    command = [sys.executable, "-m", "scripts.hostile", "--seed", str(seed), "--child"]
    command += ["--kinds", *kinds]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("The valid files could not be made or read.")
        for done, name in enumerate(inputs):
            timer = threading.Timer(_WALL_S, process.kill)
            timer.start()
            try:
                process.stdin.write(name + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except OSError:
                line = ""
            timer.cancel()
            kind = name.partition(":")[0]
            tally.tried[kind] += 1
            if not line:
                process.kill()
                tally.failures.append(f"{name}: its process ended with {process.wait()}")
                return inputs[done + 1 :]
            outcome, said = json.loads(line)
            tally.refused[kind] += outcome == "refused"
            if outcome == "failed":
                tally.failures.append(f"{name}: {said}")
        process.stdin.close()
    return []


def _child(seed: int, kinds: Sequence[str]) -> None:
    """Reads input names from stdin, and answers each with a line of JSON."""
    from scripts.hostile_inputs import Inputs

    answers = sys.stdout
    sys.stdout = sys.stderr
    with tempfile.TemporaryDirectory() as name:
        inputs = Inputs(Path(name), seed)
        for kind in kinds:  # imports what the readers need before memory is counted
            inputs.try_one(kind, inputs.good(kind))
        limit_memory(_MEMORY_BYTES)
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            kind, _, number = line.strip().partition(":")
            content = inputs.make(kind, int(number))
            limit_cpu(_CPU_S)
            try:
                inputs.try_one(kind, content)
                answer = ["read", ""]
            except FervtError as error:
                one = len(str(error).splitlines()) == 1
                answer = ["refused", str(error)] if one else ["failed", f"lines: {error!r}"]
            except BaseException:  # any exception is a finding
                answer = ["failed", traceback.format_exc(limit=-4)]
            if list(Path(name).rglob("*.part")):
                answer = ["failed", "left a half-written file"]
            print(json.dumps(answer), file=answers, flush=True)


def main() -> int:
    """Prints a line per kind; exits 1 if anything failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        _child(args.seed, args.kinds)
        return 0
    tally = run(args.count, args.seed, args.kinds)
    for kind in args.kinds:
        failed = sum(line.startswith(f"{kind}:") for line in tally.failures)
        print(
            f"{kind:>12}: {tally.tried[kind]:5} tried, {tally.refused[kind]:5} refused, "
            f"{tally.tried[kind] - tally.refused[kind] - failed:5} read, {failed} failed"
        )
    for line in tally.failures:
        print(line)
    return bool(tally.failures)


if __name__ == "__main__":
    sys.exit(main())
