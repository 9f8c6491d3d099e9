"""PyTorch as an engine: on any device, and the reference for the others."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.engines.engine import Output, named_outputs
from fervt.model import FERVTGNN
from fervt.threads import threads_for


class TorchEngine:
    """Runs the network where it lies; see `Engine`."""

    name = "PyTorch"

    def __init__(self, model: FERVTGNN) -> None:
        self._model = model

    def run(self, images: Tensor, outputs: Sequence[Output]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        with threads_for(len(images)), torch.inference_mode():
            found = named_outputs(self._model(images))
            return [found[name].float().cpu().numpy() for name in outputs]
