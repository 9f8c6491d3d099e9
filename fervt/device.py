"""Finds the device that computes, by name: the only place that checks whether it exists."""

import torch

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
