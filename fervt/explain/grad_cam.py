"""Grad-CAM on the backbone's last map (Selvaraju et al., 2017, eq. 1 and 2)."""

import numpy as np
import torch
from torch import Tensor

from fervt.explain.grid import resample_by_area
from fervt.explain.trace import Array
from fervt.model import FERVTGNN, FERVTOutput


def class_maps(model: FERVTGNN, image: Tensor) -> tuple[FERVTOutput, Array]:
    """Weighs the channels of the last map by how much each class's logit depends on them.

    The weights are linear in the logit, so the maps of two classes can be subtracted to contrast
    them, and one forward pass serves every target.

    Args:
        model: In eval mode.
        image: (1, 3, S, S), normalized.

    Returns:
        The output, and (C, h, w): for each class the sum over channels of the gradient's spatial
        mean times the map, before the ReLU.
    """
    with torch.enable_grad():
        output = model(image.detach().requires_grad_())
        maps = []
        for logit in output.logits[0]:
            (gradient,) = torch.autograd.grad(logit, output.feature_map, retain_graph=True)
            weights = gradient.mean(dim=(2, 3), keepdim=True)
            maps.append((weights * output.feature_map).sum(dim=1)[0])
    return output, torch.stack(maps).detach().float().cpu().numpy()


def grad_cam(maps: Array, index: int, against: int | None = None) -> Array:
    """The evidence for a class, or for one class and not another, on the 7x7 grid.

    Args:
        maps: (C, h, w) of `class_maps`.
        index: The class asked for.
        against: The class that it is contrasted with, None for none.

    Returns:
        (7, 7), at least 0, in logits per unit of area; resampled by area where h or w is not 7.
    """
    chosen = maps[index] if against is None else maps[index] - maps[against]
    return resample_by_area(np.maximum(chosen, 0))
