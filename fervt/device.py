"""The device that computes: found by name, and given its images."""

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.errors import ConfigError


def find_device(name: str) -> torch.device:
    """A device by name; "auto" is CUDA if available, otherwise the CPU.

    Raises:
        ConfigError: The device does not exist on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device).cpu()
    except Exception as error:  # each backend reports in its own way that it is missing
        raise ConfigError(f"There is no device '{name}' on this machine.") from error
    return device


def to_device(images: NDArray[np.float32], device: torch.device) -> torch.Tensor:
    """Images (B, 3, S, S) on a device, channels last, as convolutions read them fastest."""
    given = torch.from_numpy(np.require(images, requirements="W")).to(device)
    return given.contiguous(memory_format=torch.channels_last)
