"""The expressions of the last minutes: running, or paused to look back; and exports."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.amounts import percent
from fervt.figures.timeline import timeline_figure
from fervt.labels import Vocabulary, expression
from fervt.live import FrameReading, LiveStats, LiveWorker
from fervt.live.timeline import face_numbers, face_series, readings_as_csv
from fervt.reports.session import summary_html
from fervt.ui.charts import show_chart
from fervt.ui.clicks import clicked
from fervt.ui.downloads import offer_file

REFRESH_S = 1.0
RECENT_S = 60.0
_PAUSED = "live_paused"
_FORGOTTEN = "live_forgotten"  # just now: the page is to be redrawn


def show_timeline(worker: LiveWorker, running: bool, forget: Callable[[], None]) -> None:
    """Draws the timeline of the stream, refreshing by itself while it runs.

    Args:
        worker: The stream's.
        running: Whether frames are coming.
        forget: Drops all that was read; offered after the stream's end.
    """
    st.fragment(_draw_live, run_every=REFRESH_S if running else None)(worker, running, forget)


def _draw_live(worker: LiveWorker, running: bool, forget: Callable[[], None]) -> None:
    if st.session_state.pop(_FORGOTTEN, False):
        st.rerun()  # the whole page: a callback here redraws this part alone, of the old worker
    if not worker.timeline.readings():
        return
    vocabulary = worker.predictor.classes
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.header("Timeline", anchor=False, width="content")
        paused = running and st.toggle(
            "Pause", key="live_pause", help="Stops the timeline to look back; the stream goes on."
        )
    # A new worker reads for another checkpoint, whose classes may differ.
    if not paused or st.session_state.get(_PAUSED, (None,))[0] is not worker:
        st.session_state[_PAUSED] = worker, worker.timeline.readings()
    frozen = paused or not running
    readings: list[FrameReading] = st.session_state[_PAUSED][1]
    if not frozen:
        readings = worker.timeline.readings(RECENT_S)
    draw_timeline(readings, vocabulary, frozen, key="live")
    if frozen:
        with st.container(horizontal=True):
            show_exports(readings, vocabulary, worker.predictor.name, worker.stats(), "webcam")
            if not running:
                st.button(
                    "Forget the timeline",
                    icon=":material/delete:",
                    on_click=_forget,
                    args=(forget,),
                )
    else:
        st.caption("Pause or stop to look back at a moment and to save the timeline.")


def _forget(forget: Callable[[], None]) -> None:
    del st.session_state[_PAUSED]
    forget()
    st.session_state[_FORGOTTEN] = True


def draw_timeline(
    readings: list[FrameReading], vocabulary: Vocabulary, frozen: bool, key: str
) -> FrameReading | None:
    """Draws one face's timeline, the choice of the face, and, while frozen, of a moment.

    Args:
        readings: Oldest first.
        vocabulary: Of the probabilities.
        frozen: Whether nothing is being added.
        key: Of the widgets.

    Returns:
        What was read at the chosen moment; None while none can be chosen.
    """
    numbers = face_numbers(readings)
    if not numbers:
        st.caption("No face was found." if frozen else "No face so far.")
        return None
    present = [] if frozen else [face.number for face in readings[-1].faces]
    numbers = [*present, *(number for number in numbers if number not in present)]
    chosen = numbers[0]
    if len(numbers) > 1:
        shown = sorted(numbers[:8])
        # While it runs, the timeline follows somebody who is in the picture.
        known = st.session_state.get(f"{key}_face")
        if known not in shown or (present and known not in present):
            st.session_state[f"{key}_face"] = chosen
        chosen = st.pills("Face", shown, key=f"{key}_face", required=True) or chosen
    times, values = face_series(readings, chosen, len(vocabulary))
    moment, chart, clicks = None, f"{key}_timeline", dict[str, Any]()
    if frozen and len(readings) > 1:
        # For each span of time its own: another film starts at its own surest moment.
        slider = f"{key}_moment_{readings[0].time_s:.1f}_{readings[-1].time_s:.1f}"
        moment = _pick_moment(readings, slider)
        clicks = {"on_select": partial(_take_click, chart, slider), "selection_mode": "points"}
    marked = None if moment is None else moment.time_s
    figure = timeline_figure(times, values, vocabulary.classes, marked, clickable=bool(clicks))
    show_chart(figure, chart, _describe_series(chosen, values, vocabulary), **clicks)
    if moment is not None:
        st.markdown(_describe(moment))
    return moment


def _describe_series(number: int, values: NDArray[np.floating], vocabulary: Vocabulary) -> str:
    """A timeline in one sentence, for screen readers."""
    start = f"Probability of each expression of face {number} over time"
    there = values[~np.isnan(values[:, 0])]
    if not len(there):
        return start
    leads = np.bincount(there.argmax(axis=1), minlength=len(vocabulary))
    name = expression(vocabulary.classes[int(leads.argmax())]).name
    return f"{start}: {name} leads in {leads.max() / len(there):.0%} of it"


def _take_click(chart: str, slider: str) -> None:
    for time_s, *_ in clicked(chart):
        st.session_state[slider] = float(time_s)


def _pick_moment(readings: list[FrameReading], key: str) -> FrameReading:
    first, last = readings[0].time_s, readings[-1].time_s
    st.session_state.setdefault(key, surest(readings).time_s)
    wanted = st.slider(
        "Moment",
        first,
        max(last, first + 0.1),
        step=0.1,
        key=key,
        format="%.1f s",
        help="Starts where the model was surest of a face.",
    )
    return min(readings, key=lambda reading: abs(reading.time_s - wanted))


def surest(readings: list[FrameReading]) -> FrameReading:
    """The moment with the surest face; the first one without any."""
    return max(readings, key=lambda one: max((f.confidence for f in one.faces), default=0.0))


def say_people(numbers: int) -> str:
    """How many people some numbers stand for: who comes back may get a new one."""
    return "1 person" if numbers == 1 else f"{numbers} people at most"


def _describe(reading: FrameReading) -> str:
    """What was read at a moment, one line per face."""
    if not reading.faces:
        return f"At {reading.time_s:.1f} s: no face."
    lines = []
    for face in reading.faces:
        order = face.probabilities.argsort()[::-1][:3]
        shares = ", ".join(
            f"{expression(face.classes[i]).name} {percent(face.probabilities[i])}" for i in order
        )
        lines.append(f"At {reading.time_s:.1f} s, face {face.number}: {shares}.")
    return "  \n".join(lines)


def show_exports(
    readings: list[FrameReading],
    vocabulary: Vocabulary,
    checkpoint: str,
    stats: LiveStats | None,
    source: str,
) -> None:
    """Draws the buttons that save what is shown.

    Args:
        readings: Oldest first.
        vocabulary: Of the probabilities.
        checkpoint: Its name.
        stats: Of the stream; None for a video file.
        source: What was read, in a word.
    """
    offer_file(
        "Timeline (CSV)",
        lambda: readings_as_csv(readings, vocabulary),
        "timeline.csv",
        "text/csv",
        help="One row per frame and face.",
    )
    offer_file(
        "Summary (HTML)",
        lambda: summary_html(readings, vocabulary, checkpoint, stats, source),
        "summary.html",
        "text/html",
        help="One page with the figures and the timeline of each face.",
    )
