"""The Record button, and what was recorded, to play, save and forget."""

import streamlit as st

from fervt.live.recorder import MAX_BYTES, MAX_S, Recorder, Recording
from fervt.ui.downloads import offer_file
from fervt.ui.images import forget_too

REFRESH_S = 1.0


def show_recorder(recorder: Recorder, running: bool) -> None:
    """Draws the actions possible now: record, stop, or play the recording.

    Args:
        recorder: The session's.
        running: Whether the camera's stream runs.
    """
    recording = recorder.state.running
    # A fragment only for the clock: clicks in one while the page reruns are lost.
    draw = st.fragment(_draw, run_every=REFRESH_S) if recording else _draw
    draw(recorder, running, recording)


def _draw(recorder: Recorder, running: bool, was_recording: bool) -> None:
    state = recorder.state
    if state.running != was_recording:  # only the whole page can start or stop the clock
        st.rerun()
    if state.running:
        _draw_running(recorder, state)
        return
    if running:
        st.button(
            "Record",
            icon=":material/fiber_manual_record:",
            help=f"Keeps what you see, with all that is drawn on it, in memory: up to "
            f"{MAX_S / 60:.0f} minutes or {MAX_BYTES / 1e6:.0f} MB.",
            on_click=_start,
            args=(recorder,),
        )
    if state.ended:
        st.info(state.ended, icon=":material/fiber_manual_record:")
    film = recorder.film
    if film is not None:
        _draw_film(recorder, film, state)


def _start(recorder: Recorder) -> None:
    recorder.start()
    forget_too("recording", recorder.forget)


def _draw_running(recorder: Recorder, state: Recording) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Stop recording",
            icon=":material/stop_circle:",
            type="primary",
            on_click=recorder.stop,
        )
        st.markdown(
            f":red[:material/fiber_manual_record:] Recording, {state.seconds:.0f} s of at most "
            f"{MAX_S:.0f} s"
        )


def _draw_film(recorder: Recorder, film: bytes, state: Recording) -> None:
    st.markdown(
        f"**Your recording**: {state.seconds:.0f} s, {len(film) / 1e6:.1f} MB, as you saw it. "
        "It is in memory only."
    )
    st.video(film, format="video/mp4", alt="Your recording")
    with st.container(horizontal=True):
        offer_file("Recording (MP4)", lambda: film, "recording.mp4", "video/mp4")
        st.button("Forget the recording", icon=":material/delete:", on_click=recorder.forget)
