"""The webcam: consent, the viewer's choices, and the stream through the live worker."""

import os
import time
from dataclasses import replace
from typing import cast

import streamlit as st
from streamlit_webrtc import webrtc_streamer

from fervt.live import LiveSettings, LiveWorker, Overlay
from fervt.live.camera import CameraReader
from fervt.predict import Predictor
from fervt.ui.choices import pick_flag, pick_one
from fervt.ui.live.preview import show_preview
from fervt.video import VIDEO_SETTINGS

_AGREED = "live_agreed"
_READER = "live_reader"
_STREAM = "live_stream"
_STARTED = "live_started_s"

_CONSENT = (
    "Your camera's frames are sent to the machine that runs this app, read there, and sent back. "
    "**No frame is stored**, unless you press Record: then the video stays in your session's "
    "memory. The probabilities of the last five minutes stay there too, until you forget them, "
    "press Start again, or close or reload this tab. Everybody in the picture should know that "
    "their expression is being read."
)
_SOURCES = {"webcam": "Webcam", "video": "Video file"}
_OVERLAY_NAMES = {"none": "None", "gwa": "GWA", "graph": "Graph attention"}
_OVERLAYS_HELP = (
    "Grid-wise attention (GWA): orange cells are let through more strongly than the average one. "
    "Graph attention: the strongest links between cells, from source to target."
)
_HALF_LIVES = {"0": "off"} | {text: f"{text} s" for text in ("0.2", "0.4", "0.8", "1.5", "3")}
_SEND = {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 25}}

# Each group finds a TURN service for streamlit-webrtc, which a list of ours would override.
_TURN_VARIABLES = (
    ("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN"),
    ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
    ("HF_TOKEN",),
)


def ask_consent(predictor: Predictor) -> bool:
    """Explains what happens to the frames until the visitor agrees; returns whether they have."""
    if st.session_state.get(_AGREED):
        return True
    question, preview = st.columns(2, gap="large")
    with preview:  # first, so that nothing is computing once the button can be clicked
        show_preview(predictor)
    with question, st.container(border=True):
        st.markdown(f":material/shield_person: {_CONSENT}")
        st.button("Agree and continue", type="primary", on_click=_agree)
    return False


def _agree() -> None:
    st.session_state[_AGREED] = True


def pick_source() -> str:
    """Draws the choice between the webcam and a file; returns "webcam" or "video"."""
    return pick_one("Read", "source", _SOURCES, "webcam", label_visibility="collapsed")


def pick_settings(predictor: Predictor, of_file: bool = False) -> LiveSettings:
    """Draws the viewer's choices.

    Args:
        predictor: The checkpoint, whose evidence is offered.
        of_file: Whether a file is read, which is not mirrored and need not be real-time.
    """
    config = predictor.info.config
    missing = {"gwa"} if not config.use_gwa else set()
    missing |= {"graph"} if not config.use_gnn else set()
    overlay = pick_one(
        "On the face",
        "overlay",
        {name: title for name, title in _OVERLAY_NAMES.items() if name not in missing},
        "none",
        help=_OVERLAYS_HELP,
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        half_life_s = pick_one(
            "Smoothing",
            "smoothing",
            _HALF_LIVES,
            "0.4",
            draw=st.select_slider,
            help="The half-life of a reading; “off” shows each frame's own probabilities.",
        )
        mirror = not of_file and pick_flag("Mirror", "mirror", True)
        bars = pick_flag("Bars", "bars", True)
    base = VIDEO_SETTINGS if of_file else LiveSettings()
    chosen = cast(Overlay, overlay)
    return replace(
        base,
        overlay=chosen,
        half_life_s=float(half_life_s),
        mirror=mirror,
        bars=bars,
        keep_evidence=of_file,
    )


def show_stream(predictor: Predictor, settings: LiveSettings) -> tuple[CameraReader, bool]:
    """Draws the camera's stream.

    Returns:
        The session's reader, and whether its stream runs or is about to.
    """
    reader: CameraReader | None = st.session_state.get(_READER)
    if reader is None or reader.worker.predictor is not predictor:
        reader = _renew_reader(predictor)
    reader.worker.settings = settings
    return reader, stream_camera(reader)


def stream_camera(reader: CameraReader) -> bool:
    """Draws the component that asks for the camera; returns whether a stream runs or starts.

    Separate from `show_stream`, since the component needs a real browser's session.
    """
    context = webrtc_streamer(
        _STREAM,
        rtc_configuration=rtc_configuration(),
        media_stream_constraints={"video": _SEND, "audio": False},
        queued_video_frames_callback=reader.read,
        on_video_ended=reader.close,
        video_html_attrs={
            "autoPlay": True,
            "controls": True,
            "muted": True,
            "style": {"width": "100%", "borderRadius": "8px"},
        },
        translations={
            "start": "Start",
            "stop": "Stop",
            "select_device": "Choose the camera",
            "device_access_denied": "The browser does not let this page use the camera.",
            "device_not_available": "The camera isn't responding.",
        },
        on_change=_note_start,
    )
    return bool(context.state.playing or context.state.signalling)


def rtc_configuration() -> dict[str, list[object]] | None:
    """No servers, which is enough on one network; None if the environment names a service."""
    for names in _TURN_VARIABLES:
        if all(os.environ.get(name) for name in names):
            return None
    return {"iceServers": []}


def seconds_since_start() -> float:
    """How long ago the visitor pressed Start."""
    return time.monotonic() - st.session_state.get(_STARTED, time.monotonic())


def forget_readings() -> None:
    """Drops all readings of the camera; a recording has its own button."""
    _renew_reader(st.session_state[_READER].worker.predictor)


def _note_start() -> None:
    """Begins afresh with each Start: new face numbers, an empty timeline."""
    if st.session_state[_STREAM].state.signalling:
        st.session_state[_STARTED] = time.monotonic()
        forget_readings()


def _renew_reader(predictor: Predictor) -> CameraReader:
    """A reader that remembers nothing, but has the session's recorder with its video."""
    last: CameraReader | None = st.session_state.get(_READER)
    reader = CameraReader(LiveWorker(predictor), last.recorder if last else None)
    st.session_state[_READER] = reader
    return reader
