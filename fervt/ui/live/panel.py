"""The panel beside the stream, twice a second: speed, faces, and their expressions."""

import html

import streamlit as st

from fervt.evaluation.certainty import say_prediction
from fervt.live import FaceReading, LiveStats, LiveWorker, Snapshot, track_color
from fervt.live.timeline import face_numbers
from fervt.predict import Predictor
from fervt.ui.bars import bars_html
from fervt.ui.certainty import threshold_of
from fervt.ui.jobs import say_seconds
from fervt.ui.live.moment import keep_moment
from fervt.ui.live.stream import seconds_since_start
from fervt.ui.live.timeline import say_people
from fervt.ui.live.trouble import ROUTE_TIMEOUT_S, show_no_route
from fervt.ui.navigation import go_to, link_parameters

REFRESH_S = 0.5
_CHOSEN = "live_chosen"
_WITH_BARS, _FEW = 4, 3  # faces with bars; bars per face if there are several


def show_panel(worker: LiveWorker, running: bool) -> None:
    """Draws the stream's figures, refreshing by itself while it runs."""
    st.fragment(_draw_panel, run_every=REFRESH_S if running else None)(worker, running)


def _draw_panel(worker: LiveWorker, running: bool) -> None:
    stats = worker.stats()
    if running and not stats.frames and seconds_since_start() > ROUTE_TIMEOUT_S:
        show_no_route()
    latest = worker.latest
    if stats.failed and running:
        st.warning(
            f"{stats.failed} of {stats.frames} frames could not be read. {stats.problem}",
            icon=":material/broken_image:",
        )
    if not running or latest is None:
        st.info(_why_empty(worker, stats, running), icon=":material/videocam:")
        return
    faces = latest.reading.faces
    if not faces:
        st.info("No face in the picture.", icon=":material/face_retouching_off:")
    for index, face in enumerate(faces):
        shown = None if len(faces) == 1 else _FEW
        _draw_face(worker.predictor, face, index < _WITH_BARS, shown)
    if faces:
        _draw_snapshot_button(worker.predictor, latest)
    with st.expander("Details", icon=":material/speed:"):
        _draw_details(stats, worker)


def _draw_details(stats: LiveStats, worker: LiveWorker) -> None:
    every = worker.search_every
    with st.grid(3, min_column_width=88, gap="small"):
        st.metric("Frames/s in", _rate(stats.in_fps))
        st.metric("Frames/s read", _rate(stats.processed_fps))
        st.metric("Dropped/s", _rate(stats.dropped_fps))
    st.caption(
        f"Latency {stats.latency_median_ms:.0f} ms (95% under {stats.latency_p95_ms:.0f} ms), "
        f"faces detected in {'each frame' if every == 1 else f'one frame of {every}'}, "
        f"{stats.dropped} dropped of {stats.frames + stats.dropped}; "
        f"read by {worker.predictor.engine.name}"
    )


def _why_empty(worker: LiveWorker, stats: LiveStats, running: bool) -> str:
    if running:
        return "Waiting for the first frame that can be read."
    if not stats.frames:
        return "Press Start below the picture, and the expressions appear here."
    if stats.failed == stats.frames:
        return f"Stopped. No frame could be read. {stats.problem}".rstrip()
    readings = worker.timeline.readings()
    seconds = say_seconds(readings[-1].time_s - readings[0].time_s)
    people = face_numbers(readings)
    if not people:
        return f"Stopped. No face was found in {seconds} of video."
    return f"Stopped. The timeline below keeps {seconds} with {say_people(len(people))}."


def _rate(per_second: float) -> str:
    return f"{per_second:.0f}" if per_second >= 10 else f"{per_second:.1f}"


def _draw_face(predictor: Predictor, face: FaceReading, bars: bool, shown: int | None) -> None:
    """Bars in plain HTML: a chart twice a second would load the browser more than the video."""
    said = say_prediction(face.probabilities, face.classes, threshold_of(predictor.sha256))
    dot = f"<span style='color:{track_color(face.number)}'>●</span>"
    title = f"{dot} Face {face.number}: {html.escape(said)}"
    body = bars_html(face.probabilities, face.classes, shown) if bars else ""
    st.html(
        f"<div style='font-size:1.15rem;font-weight:600;margin-bottom:.35rem'>{title}</div>{body}"
    )


def _draw_snapshot_button(predictor: Predictor, latest: Snapshot) -> None:
    st.button(
        "Explain this moment",
        icon=":material/photo_camera:",
        type="primary",
        on_click=_choose_snapshot,
        args=(predictor, latest),
        help="Takes this frame into your session and opens it in Explain.",
    )
    if parameters := st.session_state.pop(_CHOSEN, None):  # no callback can change the page
        go_to("explain", link_parameters(**parameters))


def _choose_snapshot(predictor: Predictor, latest: Snapshot) -> None:
    st.session_state[_CHOSEN] = keep_moment(
        predictor, "Live snapshot.png", latest.image_rgb, latest.reading.faces
    )
