"""Adaptive average pooling that exports well."""

import torch
from torch import Tensor, nn


def average_onto(maps: Tensor, height: int, width: int) -> Tensor:
    """Averages maps (B, C, h, w) onto a grid: (B, C, height, width).

    PyTorch's adaptive average pooling. ONNX has none for sizes that don't divide each other, and
    the exporter turns it into gathers, masks and sums, which cost 6% of a face's time. So during
    export, this is `average_by_product`.
    """
    if torch.compiler.is_exporting():
        return average_by_product(maps, height, width)
    return nn.functional.adaptive_avg_pool2d(maps, (height, width))


def average_by_product(maps: Tensor, height: int, width: int) -> Tensor:
    """Same result as adaptive average pooling, by products with two constant matrices."""
    rows, columns = _windows(height, maps.shape[2]), _windows(width, maps.shape[3])
    return rows @ maps @ columns.T


def _windows(count: int, size: int) -> Tensor:
    """Weights (count, size) of the pixels in each cell's mean; rows sum to 1."""
    cell, pixel = torch.arange(count)[:, None], torch.arange(size)
    first, end = cell * size // count, -(-(cell + 1) * size // count)
    inside = ((pixel >= first) & (pixel < end)).float()
    return inside / inside.sum(dim=1, keepdim=True)
