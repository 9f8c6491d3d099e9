"""Benchmarks: fervt's speed against bare libraries, and face detectors against each other."""

from collections.abc import Iterator, Sequence

from fervt.bench.doors import bench_doors
from fervt.bench.faces import DetectorReach, bench_faces
from fervt.bench.network import bench_network
from fervt.bench.peers import PEERS, bench_peers
from fervt.bench.turns import Line
from fervt.predict import Predictor

__all__ = ["PEERS", "DetectorReach", "Line", "bench", "bench_faces"]


def bench(
    predictor: Predictor,
    *,
    batch_size: int,
    turns: int,
    amp: bool,
    doors: bool = True,
    peers: Sequence[str] = (),
) -> Iterator[Line]:
    """Yields the rows of the table, each as soon as it is measured.

    Args:
        predictor: The checkpoint.
        batch_size: Faces in a training step.
        turns: How many times each is timed, 1 or more.
        amp: bfloat16 autocast in training.
        doors: Whether to measure what people wait for too, not just the network.
        peers: Other libraries to compare with, some of `PEERS`.

    Raises:
        ConfigError: One of the libraries is not installed.
    """
    yield from bench_peers(predictor, peers, turns)  # first, since one may not be installed
    yield from bench_network(predictor, batch_size, turns, amp)
    if doors:
        yield from bench_doors(predictor, turns)
