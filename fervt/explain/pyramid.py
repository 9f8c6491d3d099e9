"""The backbone's three levels as maps: where the features L1, L2 and L3 are active."""

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.explain.trace import Array
from fervt.predict import Predictor
from fervt.threads import one_thread

LEVELS = ("L1", "L2", "L3")


@one_thread()
def pyramid(predictor: Predictor, fused_features: NDArray[np.floating]) -> tuple[Array, ...]:
    """Runs the trunk over a trace's fused features (3, S, S).

    Returns:
        For each of `LEVELS` the mean activity (h, w) of its channels, 0 or more, fine to coarse.
    """
    image = torch.from_numpy(np.ascontiguousarray(fused_features))[None].to(predictor.device)
    with torch.inference_mode():
        levels = predictor.network.backbone.trunk(image.float())
    return tuple(level[0].float().abs().mean(dim=0).cpu().numpy() for level in levels)
