"""Errors that the user can fix.

One small hierarchy, so that every interface (command line, page, HTTP) can show it in its own
way: the message of a `FervtError` is always complete, names the file, and is safe to show.
"""

_NO_MEMORY = (
    "can't allocate memory",  # PyTorch's wordings
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "can't start new thread",
)


class FervtError(Exception):
    """Base of all errors that are shown to people as one sentence."""


class ImageError(FervtError):
    """An image that cannot be used: unreadable, too large, empty."""


class DataError(FervtError):
    """A data set, a prepared file or a saved evaluation that is invalid."""


class CheckpointError(FervtError):
    """A checkpoint that cannot be loaded or does not fit."""


class ConfigError(FervtError):
    """Settings that contradict each other or are outside their range."""


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; PyTorch raises a RuntimeError for that."""
    if isinstance(error, RuntimeError):
        return any(sign in str(error) for sign in _NO_MEMORY)
    return isinstance(error, MemoryError)
