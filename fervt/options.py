"""How a configuration's field carries its own help text, for the command line and for readers."""

from dataclasses import field
from typing import Any


def option(default: Any, text: str) -> Any:
    """A dataclass field with a default and a line of help."""
    return field(default=default, metadata={"help": text})
