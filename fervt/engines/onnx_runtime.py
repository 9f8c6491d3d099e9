"""ONNX Runtime as an engine."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.engines.engine import EngineChoice, Output
from fervt.onnx_session import open_session


class OnnxEngine:
    """Runs a network on the CPU; see `Engine`."""

    name = "ONNX Runtime"
    key: EngineChoice = "onnx"

    def __init__(self, content: bytes) -> None:
        """Plans the network for one thread, and for more once the first large batch needs them.

        Args:
            content: An ONNX file, as `fill_graph` makes it.
        """
        self._content = content
        self._sessions = {1: open_session(content, 1)}

    def __reduce__(self) -> tuple[type["OnnxEngine"], tuple[bytes]]:
        """Jobs copy their predictor into their own process, where it is planned again."""
        return type(self), (self._content,)

    def run(
        self, images: NDArray[np.float32], outputs: Sequence[Output]
    ) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        threads = torch.get_num_threads()  # set by `fervt.threads` for the calling thread
        if threads not in self._sessions:  # at worst planned twice, if two threads call at once
            self._sessions[threads] = open_session(self._content, threads)
        given = {"images": np.ascontiguousarray(images)}
        return self._sessions[threads].run(list(outputs), given)

    def outputs(self) -> list[Output]:
        """The outputs that the file has."""
        return [item.name for item in self._sessions[1].get_outputs()]
