"""Where a run computes: device, precision, and other processes, if any."""

import contextlib
import gc
import os
from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
import torch.distributed as dist

from fervt.device import find_device

Amp = Literal["auto", "on", "off"]


def pick_device(name: str) -> torch.device:
    """`find_device`; under `torchrun`, CUDA is this process's own GPU."""
    if name in ("auto", "cuda") and "LOCAL_RANK" in os.environ and torch.cuda.is_available():
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    return find_device(name)


def use_bfloat16(amp: Amp, device: torch.device) -> bool:
    """Whether autocast to bfloat16 pays off on a device.

    Only CPUs with AVX-512-BF16 or AMX compute in it; all others emulate it, ten times
    slower than float32.

    Args:
        amp: "on" and "off" decide; "auto" asks the device.
        device: Where the model runs.
    """
    if amp != "auto":
        return amp == "on"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def seed_all(*numbers: int) -> None:
    """Seeds torch's global random state from whole numbers, such as seed, epoch, step and part."""
    state = np.random.SeedSequence(numbers).generate_state(2, np.uint32)
    torch.manual_seed(int(state[0]) << 31 ^ int(state[1]))


@contextlib.contextmanager
def process_group(device: str = "auto") -> Iterator[None]:
    """Joins the process group when started by `torchrun`; does nothing otherwise.

    Whatever uses the group, such as a model in `DistributedDataParallel`, must be gone by the end:
    it keeps the group's threads alive, and one that still works while Python exits aborts it.
    """
    if "RANK" not in os.environ or dist.is_initialized():
        yield
        return
    chosen = pick_device(device)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield
    finally:
        gc.collect()
        dist.destroy_process_group()
