"""The resumable state of a run: its content, and when a run may continue from it."""

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from fervt.checkpoint import CheckpointInfo
from fervt.errors import ConfigError, is_lack_of_memory
from fervt.files import write_aside
from fervt.training.settings import TrainConfig


@dataclass
class Position:
    """A run's position; saved with the weights.

    Attributes:
        epoch: Completed epochs.
        step: Completed steps of the next one.
        loss_sum: Of this epoch's faces so far.
        correct: Of this epoch's faces so far, those classified correctly.
        seen: This epoch's faces so far.
        best: The highest PublicTest accuracy so far, 0..1; -1 before the first.
        stale: Epochs since then.
        history: One dict per epoch.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    best: float = -1.0
    stale: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def write_state(
    path: Path,
    settings: Mapping[str, Any],
    parts: Mapping[str, Any],
    position: Position,
    info: CheckpointInfo,
) -> None:
    """Writes a state atomically.

    Args:
        path: The file.
        settings: What a run that continues from it must share.
        parts: By name, what has a `state_dict`.
        position: The run's position.
        info: Of the run's checkpoints.
    """
    state = {
        "settings": dict(settings),
        "progress": asdict(position),
        "average": None,
        **{name: part.state_dict() for name, part in parts.items()},
        "parent": info.parent,
        "labels_seen": info.labels_seen,
    }
    with write_aside(path) as aside, aside.open("wb") as file:
        torch.save(state, file)


def read_state(path: Path, rank: int, world: int) -> dict[str, Any]:
    """The state that rank 0 finds; the other processes may be on machines without its disk.

    Raises:
        ConfigError: The file cannot be read, or is damaged.
    """
    read: list[Any] = [None]
    if rank == 0:
        # Anything can be wrong with the file; the other processes must learn of it, not wait.
        try:
            read = [torch.load(path, map_location="cpu", weights_only=True)]
        except OSError as error:
            read = [error.strerror or str(error)]
        except Exception as error:
            read = ["There is not enough memory"] if is_lack_of_memory(error) else [None]
    if world > 1:
        dist.broadcast_object_list(read)
    state = read[0]
    if isinstance(state, str):
        raise ConfigError(f"'{path}' cannot be read: {state}.")
    if not (isinstance(state, dict) and isinstance(state.get("settings"), dict)):
        raise _damaged(path)
    return state


def check_settings(path: Path, state: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Makes sure that a state belongs to a run with these settings.

    A run whose rate is still held may get a new end: `epochs` and `decay_epochs` may then differ.

    Raises:
        ConfigError: It does not.
    """
    theirs = state["settings"]
    with contextlib.suppress(KeyError, TypeError):  # a run from before an option was there
        theirs = theirs | {"train": asdict(TrainConfig()) | theirs["train"]}
    with contextlib.suppress(KeyError, TypeError):
        theirs = _with_our_end(theirs, settings["train"], state["progress"])
    for part, ours in settings.items():
        if theirs.get(part) != ours:
            raise ConfigError(
                f"'{path}' belongs to a run with different {part} settings; "
                "resume with the same ones, or use --init to start a new run from its weights."
            )


def _with_our_end(
    theirs: dict[str, Any], ours: dict[str, Any], progress: Mapping[str, int]
) -> dict[str, Any]:
    train = theirs["train"]
    held = min(run["epochs"] - run["decay_epochs"] for run in (train, ours))
    done = progress["epoch"]
    # In an epoch that has begun, the rate may already have fallen where the fall starts within it.
    if train["schedule"] != "wsd" or done >= held or (progress["step"] and done + 1 > held):
        return theirs
    ends = {name: ours[name] for name in ("epochs", "decay_epochs")}
    return {**theirs, "train": {**train, **ends}}


def restore(
    path: Path, state: Mapping[str, Any], parts: Mapping[str, Any], info: CheckpointInfo
) -> tuple[Position, CheckpointInfo]:
    """Loads a state into the parts of a run; returns its position and its checkpoints' info.

    Raises:
        ConfigError: The state is damaged.
    """
    try:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        position = Position(**state["progress"])
        seen = tuple(state["labels_seen"])
        return position, replace(info, parent=state["parent"], labels_seen=seen)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ConfigError:
    return ConfigError(f"'{path}' is damaged and cannot be resumed.")
