"""An untrained twin: same architecture, fresh random weights.

A map that looks the same with random weights shows the picture's edges, not what was learned
(Adebayo et al., 2018, "Sanity Checks for Saliency Maps").
"""

import copy
from functools import lru_cache

import torch

from fervt.engines import TorchEngine
from fervt.model import FERVTGNN, FERVTConfig
from fervt.predict import Predictor


def untrained_twin(predictor: Predictor, seed: int = 0) -> Predictor:
    """A predictor with the same preprocessing and random weights, one per configuration."""
    twin = copy.copy(predictor)
    twin._model = _untrained(predictor.info.config, seed).to(predictor.device)
    twin.engine = TorchEngine(twin._model, twin.device)
    return twin


@lru_cache(maxsize=2)
def _untrained(config: FERVTConfig, seed: int) -> FERVTGNN:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FERVTGNN(config)
    return model.to(memory_format=torch.channels_last).eval()
