"""Optional parts of the installation, and the sentence for one that is missing."""

import importlib.util
import sys

from fervt.errors import ConfigError


def require_extra(extra: str, *modules: str) -> None:
    """Makes sure that what an extra installs is there.

    Args:
        extra: Its name in pyproject.toml.
        modules: Top-level modules that it brings.

    Raises:
        ConfigError: One of them is missing.
    """
    if any(_is_missing(module) for module in modules):
        raise ConfigError(
            f"This needs the extra '{extra}', which is not installed: pip install 'fervt[{extra}]'."
        )


def _is_missing(module: str) -> bool:
    if module in sys.modules:
        return sys.modules[module] is None
    return importlib.util.find_spec(module) is None
