"""Configuration fields that carry their own help text, and the check of what is put into them."""

import math
from dataclasses import field, fields
from typing import Any, get_args

from fervt.errors import ConfigError


def option(default: Any, text: str) -> Any:
    """A dataclass field with a default and a line of help."""
    return field(default=default, metadata={"help": text})


def check_types(config: Any) -> None:
    """Checks that every field of a configuration holds a value of its declared kind.

    Raises:
        ConfigError: One does not, or is not a finite number.
    """
    for item in fields(config):
        value, choices = getattr(config, item.name), get_args(item.type)
        if choices and value not in choices:
            raise ConfigError(f"{item.name} must be one of {', '.join(map(str, choices))}.")
        if item.type is bool and type(value) is not bool:
            raise ConfigError(f"{item.name} must be true or false.")
        if item.type is int and type(value) is not int:
            raise ConfigError(f"{item.name} must be a whole number.")
        if item.type is float and not (type(value) in (int, float) and math.isfinite(value)):
            raise ConfigError(f"{item.name} must be a number.")
        if item.type is str and type(value) is not str:
            raise ConfigError(f"{item.name} must be a text.")
