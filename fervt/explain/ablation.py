"""How much each part of the model matters for one face: remove it and compare predictions."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fervt.explain.trace import Array
from fervt.grid import GRID
from fervt.model import Intervention
from fervt.predict import Predictor
from fervt.threads import one_thread


@dataclass(frozen=True, eq=False)
class PartEffect:
    """The prediction without one part.

    Attributes:
        name: What was removed or replaced.
        probabilities: (C,), calibrated.
    """

    name: str
    probabilities: Array


@one_thread()
def ablate_parts(predictor: Predictor, image: Tensor) -> tuple[PartEffect, ...]:
    """Drops each token except the class token, then neutralizes the graph and GWA.

    A dropped token is hidden from the transformer. The graph's vector is also replaced by
    its mean over training faces, which stays closer to what the model knows than a missing token;
    GWA's weights are replaced by uniform ones.

    Args:
        predictor: The model and its calibration.
        image: (1, 3, S, S), normalized.
    """
    config = predictor.info.config
    names = config.token_names
    keep = ~torch.eye(len(names), dtype=torch.bool, device=image.device)[1:]
    changes = [([f"{name} dropped" for name in names[1:]], Intervention(keep_tokens=keep))]
    if config.use_gnn:
        mean = Intervention(gnn_features=predictor.network.gnn_mean)
        changes.append((["Average graph vector"], mean))
    if config.use_gwa:
        equal = Intervention(gwa_weights=torch.ones(GRID, GRID, device=image.device))
        changes.append((["GWA weights all equal"], equal))
    effects = []
    with torch.inference_mode():
        for labels, change in changes:
            images = image.expand(len(labels), -1, -1, -1)
            found = predictor.probabilities(predictor.network(images, change))
            effects += [PartEffect(*pair) for pair in zip(labels, found, strict=True)]
    return tuple(effects)
