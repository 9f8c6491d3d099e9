"""A session's summary as one self-contained HTML file."""

import numpy as np

from fervt.amounts import percent
from fervt.figures.in_words import say_extremes
from fervt.figures.timeline import timeline_figure
from fervt.labels import NOTICE, Vocabulary, expression
from fervt.live import FrameReading, LiveStats
from fervt.live.timeline import face_numbers, face_series
from fervt.reports.render import Chart, Table, render

_MAX_FACES = 8


def summary_html(
    readings: list[FrameReading],
    vocabulary: Vocabulary,
    checkpoint: str,
    stats: LiveStats | None,
    source: str,
) -> str:
    """Draws the page.

    Args:
        readings: Oldest first; at least one.
        vocabulary: Of the probabilities.
        checkpoint: Its name.
        stats: Of the stream; None leaves its line out.
        source: What was read.
    """
    length_s = readings[-1].time_s - readings[0].time_s
    facts = [f"{source}, {length_s:.1f} s, {len(readings)} frames read"]
    if stats is not None:
        facts.append(
            f"latency {stats.latency_median_ms:.0f} ms (95% under {stats.latency_p95_ms:.0f} ms)"
        )
        facts.append(f"{stats.dropped} frames dropped, {stats.failed} could not be read")
    facts.append(f"checkpoint {checkpoint}")
    numbers = face_numbers(readings)
    return render(
        "session.html",
        title="Apparent expressions",
        facts="; ".join(facts),
        notice=NOTICE,
        faces=[_face(readings, number, vocabulary) for number in numbers[:_MAX_FACES]],
        more=max(0, len(numbers) - _MAX_FACES),
    )


def _face(readings: list[FrameReading], number: int, vocabulary: Vocabulary) -> dict[str, object]:
    """How often each expression led, its mean probability, and its course."""
    times, series = face_series(readings, number, len(vocabulary), points=600)
    values = np.array(
        [f.probabilities for r in readings for f in r.faces if f.number == number], np.float32
    )
    led = np.bincount(values.argmax(axis=1), minlength=len(vocabulary)) / len(values)
    rows = [
        (expression(label).name, f"{led[i]:.0%}", percent(float(values[:, i].mean())))
        for i, label in enumerate(vocabulary.classes)
    ]
    return {
        "number": number,
        "frames": len(values),
        "shares": Table(("Expression", "led in", "mean probability"), rows),
        "chart": Chart(
            timeline_figure(times, series, vocabulary.classes, height_px=360),
            say_extremes("Frames led", vocabulary.display_names, led, "{:.0%}".format),
        ),
    }
