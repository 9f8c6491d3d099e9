"""A session's summary as one self-contained HTML file."""

import html

import numpy as np

from fervt.figures.timeline import timeline_figure
from fervt.labels import NOTICE, Vocabulary, expression
from fervt.live import FrameReading, LiveStats
from fervt.live.timeline import face_numbers, face_series

_MAX_FACES = 8
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;
color:#1e2033}h2{margin:2rem 0 0}.note{color:#55586f}table{border-collapse:collapse}
td,th{padding:.25rem .75rem;border-bottom:1px solid #dcddec;text-align:right}
td:first-child,th:first-child{text-align:left}"""


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
    facts = [f"{html.escape(source)}, {length_s:.1f} s, {len(readings)} frames read"]
    if stats is not None:
        facts.append(
            f"latency {stats.latency_median_ms:.0f} ms (95% under {stats.latency_p95_ms:.0f} ms)"
        )
        facts.append(f"{stats.dropped} frames dropped, {stats.failed} could not be read")
    facts.append(f"checkpoint {html.escape(checkpoint)}")
    parts = [f"<p>{'; '.join(facts)}.</p>", f"<p class='note'>{NOTICE}</p>"]
    numbers = face_numbers(readings)
    for position, number in enumerate(numbers[:_MAX_FACES]):
        times, values = face_series(readings, number, len(vocabulary), points=600)
        figure = timeline_figure(times, values, vocabulary.classes, height_px=360)
        chart = figure.to_html(full_html=False, include_plotlyjs=position == 0)
        parts.append(f"<h2>Face {number}</h2>{_shares(readings, number, vocabulary)}{chart}")
    if not numbers:
        parts.append("<p>No face was found.</p>")
    if len(numbers) > _MAX_FACES:
        parts.append(f"<p>{len(numbers) - _MAX_FACES} more faces are in the CSV only.</p>")
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Expressions</title>"
        f"<style>{_STYLE}</style><h1>Apparent expressions</h1>{''.join(parts)}</html>"
    )


def _shares(readings: list[FrameReading], number: int, vocabulary: Vocabulary) -> str:
    """How often each expression led, and its mean probability."""
    values = np.array(
        [f.probabilities for r in readings for f in r.faces if f.number == number], np.float32
    )
    led = np.bincount(values.argmax(axis=1), minlength=len(vocabulary)) / len(values)
    rows = "".join(
        f"<tr><td>{expression(label).name}</td><td>{led[i]:.0%}</td>"
        f"<td>{values[:, i].mean():.0%}</td></tr>"
        for i, label in enumerate(vocabulary.classes)
    )
    head = "<tr><th>Expression</th><th>led in</th><th>mean probability</th></tr>"
    return f"<p>In {len(values)} frames.</p><table>{head}{rows}</table>"
