"""Differences in words: a sign where there is a direction, none at zero."""

import re
from pathlib import Path

import pytest

from fervt.amounts import from_to, points, signed, with_range

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("zero", [0.0, -0.0, 0.04, -0.04])
def test_what_rounds_to_zero_has_no_sign(zero: float) -> None:
    assert signed(zero) == "0.0"
    assert points(zero / 100) == "0.0 points"
    assert with_range(zero, -0.06, 1.26) == "0.0 (-0.1 to +1.3)"
    assert from_to(-2, zero) == "-2.0 to 0.0"


def test_everything_else_has_one() -> None:
    assert [signed(value, ".3f") for value in (0.0005, -1, 12)] == ["+0.001", "-1.000", "+12.000"]
    assert [signed(value, ".3g") for value in (-0.0, -2e-7, 100.0)] == ["0", "-2e-07", "+100"]
    assert signed(float("nan")) == "nan"


def test_no_module_writes_a_sign_by_itself() -> None:
    """`f"{x:+.1f}"` and Plotly's `%{x:+.1f}` write "+0.0" and "-0.0"."""
    by_itself = re.compile(r""":\+\.\{?\w|["'%]\+\.\d""")
    files = [*ROOT.glob("fervt/**/*.py"), *ROOT.glob("fervt/**/*.html"), *ROOT.glob("pages/*.py")]
    assert [
        f"{path.name}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if by_itself.search(line)
    ] == []
