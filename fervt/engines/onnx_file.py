"""A checkpoint as one ONNX file that works without fervt: for browsers, phones and servers."""

import json
from pathlib import Path
from typing import Any

from fervt import __version__
from fervt.checkpoint import CheckpointInfo, load_checkpoint
from fervt.device import find_device
from fervt.engines.onnx_graph import fill_graph, find_or_make_graph
from fervt.engines.onnx_runtime import OnnxEngine
from fervt.engines.opening import TOLERANCE, largest_difference
from fervt.engines.pytorch import TorchEngine
from fervt.errors import ConfigError
from fervt.files import file_sha256
from fervt.model.graph import grid_edges


def describe_file(info: CheckpointInfo, sha256: str) -> dict[str, str]:
    """The metadata of an exported file: JSON values by name."""
    values: dict[str, Any] = {
        "classes": info.config.classes.classes,
        "image_size": info.preprocess.image_size,
        "crop": info.preprocess.crop,
        "mean": info.preprocess.mean,
        "std": info.preprocess.std,
        "temperature": info.temperature,
        "graph_edges": grid_edges().tolist() if info.config.use_gnn else [],
        "checkpoint_sha256": sha256,
        "fervt_version": __version__,
    }
    return {f"fervt.{name}": json.dumps(value) for name, value in values.items()}


def as_onnx(checkpoint: Path) -> tuple[bytes, float]:
    """A checkpoint as the content of an ONNX file, checked against PyTorch.

    Its input is `images` (B, 3, S, S) float32: a gray face in all three channels, normalized by the
    mean and the standard deviation in its metadata. Its outputs are those of `Engine.run` that
    the checkpoint has.

    Returns:
        The content, and the largest difference from PyTorch's logits over 16 random images.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        ConfigError: Packages are missing, or the outputs differ.
    """
    model, info = load_checkpoint(checkpoint)
    metadata = describe_file(info, file_sha256(checkpoint))
    content = fill_graph(find_or_make_graph(info.config), model.state_dict(), metadata)
    difference = largest_difference(
        OnnxEngine(content), TorchEngine(model, find_device("cpu")), info.preprocess
    )
    if not difference <= TOLERANCE:
        raise ConfigError(
            f"This checkpoint's ONNX file would differ from PyTorch by {difference:.1g} in its "
            "logits, so it was not written."
        )
    return content, difference
