"""Numbers as text, the same on every page, in reports and on the command line.

A difference's sign is a direction, so what rounds to zero has none; and a model is never certain,
so a probability is never 0 or 100%.
"""


def signed(value: float, spec: str = ".1f") -> str:
    """A difference with its sign: "+3.1", "-0.2", but "0.0".

    Args:
        value: The difference.
        spec: Its format, without a sign.
    """
    text = format(value, f"+{spec}")
    return text if any(digit in text for digit in "123456789") else text.lstrip("+-")


def points(share: float) -> str:
    """A difference of shares: "+3.1 points"."""
    return f"{signed(100 * share)} points"


def with_range(value: float, low: float, high: float, spec: str = ".1f") -> str:
    """A difference and its interval: "+3.1 (+1.0 to +5.2)"."""
    return f"{signed(value, spec)} ({from_to(low, high, spec)})"


def from_to(low: float, high: float, spec: str = ".1f") -> str:
    """An interval of differences: "-0.4 to +5.2"."""
    return f"{signed(low, spec)} to {signed(high, spec)}"


def percent(share: float) -> str:
    """A probability: "94%", but "<1%" and ">99%" where it rounds to certainty."""
    whole = round(100 * share)
    return {0: "<1%", 100: ">99%"}.get(whole, f"{whole}%")
