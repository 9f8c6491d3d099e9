"""Ranges stand beside the fields that they limit, and one sentence names what breaks them."""

from dataclasses import dataclass
from typing import Literal

import pytest

from fervt.errors import ConfigError
from fervt.options import check_types, option


@dataclass(frozen=True)
class Settings:
    must: int = option(text="has no default", least=1)
    depth: int = option(2, "blocks", least=1, most=24)
    rate: float = option(0.5, "a rate", above=0)
    share: float = option(0.5, "a share", least=0, below=1)
    free: float = option(0.0, "any number")
    name: str = option("x", "a name")
    on: bool = option(True, "a switch")
    kind: Literal["a", "b"] = option("a", "a or b")

    def __post_init__(self) -> None:
        check_types(self)


def test_what_lies_in_its_range_is_taken() -> None:
    edges = Settings(1, depth=24, rate=1e-9, share=0, free=-1e30, kind="b")
    assert (edges.depth, edges.share) == (24, 0)
    with pytest.raises(TypeError, match="must"):
        Settings()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"must": 0}, "must must be a whole number, at least 1."),
        ({"depth": 25}, "depth must be a whole number from 1 to 24."),
        ({"depth": 10**400}, "depth must be a whole number from 1 to 24."),
        ({"depth": 2.0}, "depth must be a whole number from 1 to 24."),
        ({"depth": True}, "depth must be a whole number from 1 to 24."),
        ({"rate": 0}, "rate must be a number above 0."),
        ({"share": 1}, "share must be a number, at least 0 and below 1."),
        ({"share": -0.1}, "share must be a number, at least 0 and below 1."),
        ({"share": float("nan")}, "share must be a number, at least 0 and below 1."),
        ({"free": float("inf")}, "free must be a number."),
        ({"free": 10**400}, "free must be a number."),
        ({"free": "1"}, "free must be a number."),
        ({"name": 1}, "name must be a string."),
        ({"on": 1}, "on must be true or false."),
        ({"kind": "c"}, "kind must be one of a, b."),
    ],
)
def test_what_does_not_is_one_sentence(change, sentence) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings(**{"must": 1, **change})
    assert str(caught.value) == sentence
