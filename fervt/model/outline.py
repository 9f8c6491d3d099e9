"""The shapes of a model's weights without their memory: a small file may describe a huge model."""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from fervt.model.fervt_gnn import FERVTGNN, FERVTConfig


class _NoNumbers(TorchFunctionMode):
    """Leaves new weights undrawn: drawing them on the meta device imports PyTorch's compiler."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_):
            return args[0]
        return func(*args, **(kwargs or {}))


def outline(config: FERVTConfig) -> FERVTGNN:
    """The model on PyTorch's meta device: its weights have shapes and types, but no values."""
    with torch.device("meta"), _NoNumbers():
        return FERVTGNN(config)
