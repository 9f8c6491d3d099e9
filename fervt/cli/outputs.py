"""What a command writes must not be what it reads."""

from collections.abc import Iterable
from pathlib import Path

from fervt.errors import ConfigError


def refuse_overwriting(option: str, out: Path, sources: Iterable[Path]) -> None:
    """Makes sure that an output is none of the inputs.

    Args:
        option: That names the output.
        out: The output.
        sources: The inputs.

    Raises:
        ConfigError: It is one of them.
    """
    if not out.is_dir() and out.resolve() in {source.resolve() for source in sources}:
        raise ConfigError(f"{option}: {out} would overwrite the source.")
