"""The parts of a slide: a message, and a chart as numbers that each interface draws its way."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, the first on top.

    Attributes:
        categories: N names.
        series: N values by name; shares from 0 to 1 where `as_percent`.
        measure: What the values are, with their unit; shown above the bars.
        as_percent: Whether the values are shares.
        marked: The category that the message is about, if any.
    """

    categories: tuple[str, ...]
    series: dict[str, tuple[float, ...]]
    measure: str
    as_percent: bool = True
    marked: str | None = None


@dataclass(frozen=True)
class Lines:
    """Curves of shares against shares.

    Attributes:
        x_title: The horizontal axis's title.
        y_title: The vertical axis's title.
        series: Points (x, y), 0 to 1, by name.
    """

    x_title: str
    y_title: str
    series: dict[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class Picture:
    """A picture, for what is not a chart.

    Attributes:
        png: The content of a PNG file; square.
        alt: What it shows, in a sentence.
    """

    png: bytes
    alt: str


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        message: The one sentence that it shows.
        say: What to say beside it.
        chart: What it shows; None for a slide of points.
        points: Sentences below the message.
    """

    message: str
    say: str
    chart: Bars | Lines | Picture | None = None
    points: tuple[str, ...] = ()
