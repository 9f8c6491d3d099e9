"""Chooses an engine and verifies that its outputs match PyTorch's."""

import numpy as np
import torch

from fervt.data.transforms import FACE_SIZE, Preprocess
from fervt.engines.engine import ENGINES, Engine
from fervt.engines.onnx_graph import fill_graph, find_graph, find_or_make_graph
from fervt.engines.onnx_runtime import OnnxEngine
from fervt.engines.pytorch import TorchEngine
from fervt.errors import ConfigError
from fervt.model import FERVTGNN
from fervt.threads import one_thread

TOLERANCE = 1e-4  # of logits, which range from about -5 to 10


def open_engine(
    choice: str, model: FERVTGNN, preprocess: Preprocess, device: torch.device
) -> Engine:
    """An engine for a network.

    Args:
        choice: One of `ENGINES`. "auto" uses ONNX Runtime on a CPU if a graph of the network's
            configuration is available, and PyTorch otherwise; "onnx" makes the graph if necessary.
        model: In eval mode, on its device.
        preprocess: Of its checkpoint.
        device: The device that the model is on.

    Raises:
        ConfigError: There is no such engine; it can't run on this device, needs packages that are
            missing, or its outputs differ from PyTorch's.
    """
    if choice not in ENGINES:
        raise ConfigError(f"There is no engine '{choice}'; known: {', '.join(ENGINES)}.")
    reference = TorchEngine(model, device)
    if choice == "torch" or (choice == "auto" and device.type != "cpu"):
        return reference
    if device.type != "cpu":
        raise ConfigError("The engine 'onnx' runs on the CPU only; choose device 'cpu'.")
    find = find_or_make_graph if choice == "onnx" else find_graph
    graph = find(model.config)
    if graph is None:
        return reference
    engine = OnnxEngine(fill_graph(graph, model.state_dict()))
    difference = largest_difference(engine, reference, preprocess, 1)
    if difference <= TOLERANCE:
        return engine
    if choice == "auto":
        return reference
    raise ConfigError(
        f"ONNX Runtime's logits for this checkpoint differ from PyTorch's by {difference:.1g}; "
        "choose the engine 'torch'."
    )


def largest_difference(
    engine: Engine, reference: Engine, preprocess: Preprocess, count: int = 16
) -> float:
    """The largest difference between two engines' logits over a few noise images."""
    shape = count, FACE_SIZE, FACE_SIZE
    faces = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    images = preprocess.to_input(faces)
    with one_thread():
        (ours,), (theirs,) = (each.run(images, ["logits"]) for each in (engine, reference))
    return float(np.abs(ours - theirs).max())
