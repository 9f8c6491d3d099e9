"""Occlusion: what the prediction becomes when a cell is hidden (Zeiler and Fergus, 2014)."""

import torch
from torch import Tensor

from fervt.explain.grid import CELLS, hide_cells
from fervt.explain.trace import Array
from fervt.grid import GRID
from fervt.predict import Predictor


def occlude(predictor: Predictor, image: Tensor) -> Array:
    """Hides each cell in turn, all 49 in one forward pass.

    Args:
        predictor: The model and its calibration.
        image: (1, 3, S, S), normalized.

    Returns:
        (7, 7, C) probabilities; entry [r, c] is the prediction with cell (r, c) set to the data
        set's mean gray. The drop is the plain prediction minus this.
    """
    one_hidden = torch.eye(CELLS, device=image.device).view(CELLS, GRID, GRID)
    return predictor.classify_prepared(hide_cells(image, one_hidden)).reshape(GRID, GRID, -1)
