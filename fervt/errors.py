"""Everything that can go wrong for a reason that the user can fix.

One small hierarchy, so that every door (command line, page, HTTP) can turn it into its own kind of
sentence: the message of a `FervtError` is always complete, names the file, and is safe to show.
"""


class FervtError(Exception):
    """Base of all errors that are shown to people as one sentence."""


class ImageError(FervtError):
    """An image that cannot be used: unreadable, too large, empty."""


class DataError(FervtError):
    """A data set, a prepared file or a saved evaluation that breaks its contract."""


class CheckpointError(FervtError):
    """A checkpoint that cannot be loaded or does not fit."""


class ConfigError(FervtError):
    """Settings that contradict each other or lie outside their range."""
