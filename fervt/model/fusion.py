"""GWA fusion: combines the weighted map and the image into something like an image."""

import torch
from torch import Tensor, nn


class GWAFusion(nn.Module):
    """Convolutions over image and map, on a residual path around the map.

    The last convolution starts at zero, so fusion starts as the identity of the map and an ImageNet
    backbone behind it still sees an image. Nothing keeps these convolutions from rebuilding the
    image from both, and trained models do so: GWA then contributes where its weights are read, in
    `GraphPooling` and `Backbone`.

    Shapes:
        in: images (B, 3, S, S); map (B, 3, S, S).
        out: fused features (B, 3, S, S).
    """

    def __init__(self, hidden: int = 8) -> None:
        super().__init__()
        self.expand = nn.Conv2d(6, hidden, kernel_size=3, padding=1)
        self.contract = nn.Conv2d(hidden, 3, kernel_size=3, padding=1)
        nn.init.zeros_(self.contract.weight)
        nn.init.zeros_(self.contract.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor, weighted: Tensor) -> Tensor:
        """Fuses; see the class for shapes."""
        both = torch.cat([images, weighted], dim=1)
        return weighted + self.contract(nn.functional.relu(self.expand(both)))
