"""Configuration fields with their help text and range, and their validation."""

import sys
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, get_args

from fervt.errors import ConfigError


@dataclass(frozen=True)
class Range:
    """The range of a number; None leaves a side open.

    Attributes:
        least: The smallest value.
        most: The largest value.
        above: Larger than this.
        below: Smaller than this.
    """

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        """Whether a finite number lies in it."""
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        """The end of a sentence, like ` from 1 to 24`; empty without limits."""
        if self.least is not None and self.most is not None:
            return f" from {self.least} to {self.most}"
        limits = (
            ("at least", self.least),
            ("above", self.above),
            ("at most", self.most),
            ("below", self.below),
        )
        said = " and ".join(f"{word} {limit}" for word, limit in limits if limit is not None)
        return f"{',' if said.startswith('at') else ''} {said}" if said else ""


def option(
    default: Any = MISSING,
    text: str = "",
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:
    """A dataclass field with a default, a line of help, and a number's range.

    Args:
        default: Of the field; without one, the field must be given.
        text: Its text in `--help`.
        least: The smallest value.
        most: The largest value.
        above: The value must be larger than this.
        below: The value must be smaller than this.
    """
    metadata = {"help": text, "range": Range(least, most, above, below)}
    return field(default=default, metadata=metadata)


def check_types(config: Any) -> None:
    """Checks that every field of a configuration has a value of its declared type and range.

    Raises:
        ConfigError: One does not, or is not a finite number.
    """
    for item in fields(config):
        _check(item, getattr(config, item.name))


def _check(item: Field[Any], value: Any) -> None:
    choices = get_args(item.type)
    if choices and value not in choices:
        raise ConfigError(f"{item.name} must be one of {', '.join(map(str, choices))}.")
    if item.type is bool and type(value) is not bool:
        raise ConfigError(f"{item.name} must be true or false.")
    if item.type is str and type(value) is not str:
        raise ConfigError(f"{item.name} must be a string.")
    if item.type not in (int, float):
        return
    allowed = item.metadata.get("range", Range())
    kinds, kind = ((int,), "a whole number") if item.type is int else ((int, float), "a number")
    finite = type(value) in kinds and abs(value) <= sys.float_info.max
    if not finite or value not in allowed:
        raise ConfigError(f"{item.name} must be {kind}{allowed}.")
