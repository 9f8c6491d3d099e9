"""PyTorch as an engine: on any device, and the reference for the others."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.device import to_device
from fervt.engines.engine import EngineChoice, Output, read_output
from fervt.model import FERVTGNN


class TorchEngine:
    """Runs the network on its device; see `Engine`."""

    name = "PyTorch"
    key: EngineChoice = "torch"

    def __init__(self, model: FERVTGNN, device: torch.device) -> None:
        self._model, self._device = model, device

    def run(
        self, images: NDArray[np.float32], outputs: Sequence[Output]
    ) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        given = to_device(images, self._device)
        with torch.inference_mode():
            output = self._model(given)
            found = [read_output(output, name) for name in outputs]
        return [value.float().cpu().numpy() for value in found if value is not None]
