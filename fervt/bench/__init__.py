"""Speed and reach, measured: the network against a bare ResNet-34, detectors against each other."""

from fervt.bench.faces import DetectorReach, bench_faces
from fervt.bench.network import bench

__all__ = ["DetectorReach", "bench", "bench_faces"]
