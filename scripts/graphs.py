"""Regenerates the ONNX graphs that ship with fervt: one per checkpoint configuration.

Usage: python -m scripts.graphs
"""

import sys

from fervt.checkpoint import read_info, shipped_checkpoints
from fervt.cli.ending import run_to_end
from fervt.engines.onnx_graph import graph_key, make_graph
from fervt.resources import GRAPHS


def main() -> None:
    """Writes the graphs and removes unused ones."""
    configs = {
        graph_key(c): c for c in (read_info(f).config for f in shipped_checkpoints().values())
    }
    GRAPHS.mkdir(exist_ok=True)
    for file in GRAPHS.glob("*.onnx"):
        if file.stem not in configs:
            file.unlink()
    for key, config in configs.items():
        graph = make_graph(config)
        (GRAPHS / f"{key}.onnx").write_bytes(graph)
        print(f"{key}: {len(graph):,} bytes")


if __name__ == "__main__":
    sys.exit(run_to_end("graphs", main))
