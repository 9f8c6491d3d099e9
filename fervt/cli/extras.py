"""Optional parts of the installation, and the error for a missing one."""

import importlib.util
import sys

from fervt.errors import ConfigError


def require_extra(extra: str, *modules: str) -> None:
    """Makes sure that an extra is installed.

    Args:
        extra: Its name in pyproject.toml.
        modules: Top-level modules that it installs.

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
