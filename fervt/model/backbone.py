"""The ResNet-34 feature pyramid, turned into tokens.

The trunk has torchvision's parameter names, so that its ImageNet weights fit at width 64 with the
ImageNet stem. The stem and the width can change: 48-pixel faces need no 7x7/2 stem, and a laptop
needs no 21 million parameters. The block is written here rather than imported because torchvision
loads PyTorch's compiler, which adds over a second to every start.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from fervt.errors import CheckpointError, is_lack_of_memory
from fervt.model.pooling import average_onto

Stem = Literal["imagenet", "face", "face-fast"]

_DEPTHS = (3, 4, 6, 3)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a residual path (He et al., 2016, figure 5, left).

    Shapes:
        in: (B, C, H, W).
        out: (B, planes, H / stride, W / stride).
    """

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, maps: Tensor) -> Tensor:
        """Computes the block; see the class for shapes."""
        identity = maps if self.downsample is None else self.downsample(maps)
        inner = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(maps)))))
        return self.relu(inner + identity)


class ResNet34(nn.Module):
    """ResNet-34 (He et al., 2016) without its classifier.

    Shapes:
        in: (B, 3, S, S).
        out: the maps of layer2, layer3 and layer4, with 2, 4 and 8 times `width` channels.
    """

    def __init__(self, stem: Stem, width: int) -> None:
        super().__init__()
        self.inplanes = width
        if stem == "imagenet":
            self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
            self.maxpool: nn.Module = nn.MaxPool2d(3, 2, 1)
        else:
            self.conv1 = nn.Conv2d(3, width, 3, 2 if stem == "face-fast" else 1, 1, bias=False)
            self.maxpool = nn.Identity()
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = self._layer(width, _DEPTHS[0], 1)
        self.layer2 = self._layer(2 * width, _DEPTHS[1], 2)
        self.layer3 = self._layer(4 * width, _DEPTHS[2], 2)
        self.layer4 = self._layer(8 * width, _DEPTHS[3], 2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def _layer(self, planes: int, blocks: int, stride: int) -> nn.Sequential:
        shortcut = None
        if stride != 1 or self.inplanes != planes:
            shortcut = nn.Sequential(
                nn.Conv2d(self.inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes)
            )
        first = BasicBlock(self.inplanes, planes, stride, shortcut)
        self.inplanes = planes
        return nn.Sequential(first, *(BasicBlock(planes, planes) for _ in range(blocks - 1)))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Computes the pyramid; see the class for shapes."""
        layer1 = self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(images)))))
        layer2 = self.layer2(layer1)
        layer3 = self.layer3(layer2)
        return layer2, layer3, self.layer4(layer3)

    def load_imagenet(self, file: Path | None = None) -> None:
        """Loads torchvision's ImageNet weights.

        Args:
            file: A saved torchvision `resnet34` state dict; None lets torchvision download them.

        Raises:
            CheckpointError: The file cannot be read or its weights don't fit this trunk.
        """
        name = file.name if file else "torchvision's resnet34"
        try:
            if file is None:
                from torchvision.models import ResNet34_Weights

                weights = ResNet34_Weights.IMAGENET1K_V1.get_state_dict(progress=True)
            else:
                weights = torch.load(file, map_location="cpu", weights_only=True)
        except OSError as error:  # a failed download is one, too
            raise CheckpointError(
                f"The ImageNet weights '{name}' cannot be read ({_first_line(error)})."
            ) from error
        except Exception as error:
            if isinstance(error, ImportError) or is_lack_of_memory(error):
                raise
            raise CheckpointError(
                f"The ImageNet weights '{name}' are damaged ({_first_line(error)})."
            ) from error
        if not isinstance(weights, Mapping):
            raise CheckpointError(f"The ImageNet weights '{name}' are no state dict.")
        try:
            self.load_state_dict({k: v for k, v in weights.items() if not k.startswith("fc.")})
        except Exception as error:
            raise CheckpointError(
                f"The ImageNet weights '{name}' don't fit; they need the stem 'imagenet' and "
                f"width 64 ({_first_line(error)})."
            ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def pool_by_cells(maps: Tensor, weights: Tensor | None) -> Tensor:
    """Averages maps (B, C, h, w) over space, weighted by the grid's cells: (B, C).

    Args:
        maps: Feature maps.
        weights: Cell weights (B, 7, 7) with mean 1, resampled to the map by adaptive
            averaging; None for equal weights.
    """
    if weights is None:
        return maps.mean(dim=(2, 3))
    resampled = average_onto(weights.unsqueeze(1), maps.shape[2], maps.shape[3])
    resampled = resampled / resampled.mean(dim=(2, 3), keepdim=True)
    return (maps * resampled.to(maps.dtype)).mean(dim=(2, 3))


class Backbone(nn.Module):
    """The token maker: class, L1, L2, L3 (the pyramid's levels) and GNN.

    The levels are pooled with cell weights if there are any, and the class token starts from GWA's
    summary of the patches.

    Shapes:
        in: fused features (B, 3, S, S); gnn_features (B, D) or None; the cells' weights (B, 7, 7),
            None to pool evenly; GWA's summary (B, P), None without GWA.
        out: tokens (B, 5, D), 4 without the GNN; the last map (B, 8 * width, h, w).
    """

    def __init__(
        self, stem: Stem, width: int, dim: int, use_gnn: bool, summary_dim: int | None = None
    ) -> None:
        super().__init__()
        self.trunk = ResNet34(stem, width)
        self.project = nn.ModuleList(
            nn.Sequential(nn.Linear(scale * width, dim), nn.LayerNorm(dim)) for scale in (2, 4, 8)
        )
        self.class_token = nn.Parameter(torch.empty(1, 1, dim).normal_(std=0.02))
        self.position = nn.Parameter(torch.empty(1, 5 if use_gnn else 4, dim).normal_(std=0.02))
        self.start = None if summary_dim is None else nn.Linear(summary_dim, dim, bias=False)
        if self.start is not None:
            nn.init.zeros_(self.start.weight)

    def forward(
        self,
        fused: Tensor,
        gnn_features: Tensor | None = None,
        weights: Tensor | None = None,
        summary: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Makes the tokens; see the class for shapes."""
        levels = self.trunk(fused)
        tokens = [self.class_token.expand(fused.shape[0], -1, -1)]
        if self.start is not None and summary is not None:
            tokens[0] = tokens[0] + self.start(summary).unsqueeze(1)
        for level, project in zip(levels, self.project, strict=True):
            tokens.append(project(pool_by_cells(level, weights)).unsqueeze(1))
        if gnn_features is not None:
            tokens.append(gnn_features.unsqueeze(1))
        return torch.cat([t.float() for t in tokens], dim=1) + self.position, levels[-1]
