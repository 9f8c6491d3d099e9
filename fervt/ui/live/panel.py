"""Beside the stream, twice a second: how fast it runs, who is there, and what was read."""

import io

import numpy as np
import streamlit as st
from PIL import Image

from fervt.labels import expression
from fervt.live import FaceReading, LiveStats, LiveWorker, Snapshot, track_color
from fervt.live.tracker import overlap
from fervt.predict import Predictor
from fervt.ui.answers import predict_faces
from fervt.ui.images import FIRST_FACE, PARAMETER, Picture, add_picture
from fervt.ui.live.stream import seconds_since_start
from fervt.ui.live.trouble import ROUTE_TIMEOUT_S, show_no_route
from fervt.ui.navigation import go_to, link_parameters

REFRESH_S = 0.5
_CHOSEN = "live_chosen"
_WITH_BARS = 2  # faces; the others have a line


def show_panel(worker: LiveWorker, running: bool) -> None:
    """Draws the figures of the stream, by themselves again and again while it runs."""
    st.fragment(_draw_panel, run_every=REFRESH_S if running else None)(worker, running)


def _draw_panel(worker: LiveWorker, running: bool) -> None:
    stats = worker.stats()
    if running and not stats.frames and seconds_since_start() > ROUTE_TIMEOUT_S:
        show_no_route()
    with st.grid(3, min_column_width=88, gap="small"):
        st.metric("Frames/s in", _rate(stats.in_fps, running))
        st.metric("Frames/s read", _rate(stats.processed_fps, running))
        st.metric("Dropped/s", _rate(stats.dropped_fps, running))
    latest = worker.latest
    if stats.failed and running:
        st.warning(
            f"{stats.failed} of {stats.frames} frames could not be read. {stats.problem}",
            icon=":material/broken_image:",
        )
    if not running or latest is None:
        st.info(_why_empty(stats, running), icon=":material/videocam:")
        return
    every = worker.search_every
    st.caption(
        f"Latency {stats.latency_median_ms:.0f} ms (95% under {stats.latency_p95_ms:.0f} ms), "
        f"faces searched in {'each frame' if every == 1 else f'one frame of {every}'}, "
        f"{stats.dropped} dropped of {stats.frames + stats.dropped}"
    )
    faces = latest.reading.faces
    if not faces:
        st.info("No face in the picture.", icon=":material/face_retouching_off:")
    for index, face in enumerate(faces):
        _draw_face(face, index < _WITH_BARS)
    if faces:
        _draw_snapshot_button(worker.predictor, latest)


def _why_empty(stats: LiveStats, running: bool) -> str:
    if running:
        return "Waiting for the first frame that can be read."
    if stats.frames:
        return "Stopped. The timeline below keeps what was read."
    return "Press Start below the picture, and the expressions appear here."


def _rate(per_second: float, running: bool) -> str:
    if not running:
        return "–"
    return f"{per_second:.0f}" if per_second >= 10 else f"{per_second:.1f}"


def _draw_face(face: FaceReading, bars: bool) -> None:
    """Bars in plain HTML: a chart twice a second would cost the browser more than the video."""
    name = expression(face.label).name
    dot = f"<span style='color:{track_color(face.number)}'>●</span>"
    title = f"{dot} Face {face.number}: {name}, {face.confidence:.0%}"
    rows = [f"<div style='font-size:1.15rem;font-weight:600;margin-bottom:.35rem'>{title}</div>"]
    for label, share in zip(face.classes, face.probabilities, strict=True) if bars else ():
        shown, leads = expression(label), label == face.label
        rows.append(
            f"<div style='display:flex;align-items:center;gap:.5rem;line-height:1.75'>"
            f"<span style='width:6.5rem;font-weight:{600 if leads else 400}'>{shown.name}</span>"
            f"<span style='flex:1;height:.85rem'><span style='display:block;height:100%;"
            f"width:{share:.1%};border-radius:4px;background:{shown.color};"
            f"opacity:{1 if leads else 0.55}'></span></span>"
            f"<span style='width:3rem;text-align:right'>{share:.0%}</span></div>"
        )
    st.html("".join(rows))


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
    picture = take_snapshot(latest)
    face = _number_in(picture, predictor, latest.reading.faces[0])
    st.session_state[_CHOSEN] = {PARAMETER: picture.key} | FIRST_FACE | face


def take_snapshot(snapshot: Snapshot) -> Picture:
    """Takes a frame into the visitor's session, as an image that every page can show."""
    content = io.BytesIO()
    Image.fromarray(snapshot.image_rgb).save(content, "PNG", compress_level=1)
    return add_picture("Live snapshot.png", content.getvalue())


def _number_in(picture: Picture, predictor: Predictor, face: FaceReading) -> dict[str, str]:
    """The address's parameters that choose this face, as the other pages number faces."""
    found = [np.array(p.box_xyxy_px) for p in predict_faces(predictor, picture)]
    if not found:
        return {"whole": "1"}
    shares = overlap([np.array(face.box_xyxy_px)], found)[0]
    return {"face": str(int(shares.argmax()) + 1)}
