"""A video file on the Live page: uploaded, read in its own process, played with its timeline.

Nothing of it is on disk: the file is in the session, its readings are in the server's
registry of jobs, until it is forgotten, replaced, or an hour old.
"""

from dataclasses import replace

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fervt.images import safe_name
from fervt.jobs import Job, JobError, ask
from fervt.live import FrameReading, LiveSettings
from fervt.predict import Predictor
from fervt.ui.checkpoints import link_to_checkpoint
from fervt.ui.downloads import offer_file
from fervt.ui.fresh_keys import fresh_key, renew_keys
from fervt.ui.jobs import (
    find_job,
    find_own_job,
    forget_job,
    say_seconds,
    say_who_sees,
    show_progress,
    start_job,
)
from fervt.ui.live.moment import keep_moment
from fervt.ui.live.stream import pick_settings
from fervt.ui.live.timeline import draw_timeline, say_people, show_exports
from fervt.ui.navigation import is_leaving, leave_for, link_parameters
from fervt.ui.script import run_script
from fervt.ui.text import as_text
from fervt.video import ReadFilm, frame_at, read_film, redraw_film

KIND, REDRAW = "video", "redraw"
TYPES = [".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mts", ".m2ts", ".ts", ".gif"]

_MAX_FILE_MB = 200
_READ = "film_read"  # which job read which upload
_DRAWN = "film_redrawn"  # what the last redrawing was for
_WIDTH_PX = 640  # of the player: portrait videos must not fill the screen twice

_WHAT_HAPPENS = (
    "The file is sent to the machine that runs the app, read in memory, and is not stored. The "
    "result is dropped when you forget it, or after an hour. Until then anyone with this page's "
    "link can see it."
)


def show_film(predictor: Predictor) -> None:
    """Draws everything from the upload to the annotated video and its timeline."""
    st.caption(f":material/shield_person: {_WHAT_HAPPENS}")
    settings = pick_settings(predictor, of_file=True)
    key = fresh_key("video")
    st.file_uploader(
        "A video with faces",
        type=TYPES,
        key=key,
        on_change=_take_file,
        args=(key, predictor, settings),
        max_upload_size=_MAX_FILE_MB,
    )
    job = find_job(KIND)
    done = job is not None and show_progress(job)
    if job is None or job.state != "running":
        _draw_actions(key, predictor, settings, job is not None)
    if done:
        assert job is not None
        say_who_sees(job, "this video")
        upload = _upload_of(job, key)
        _draw_result(predictor, job.result, upload, _annotated(job, upload, settings))


def _upload_of(job: Job, key: str) -> UploadedFile | None:
    """The uploaded file if it is the one that the job read, not another beside a linked result."""
    upload: UploadedFile | None = st.session_state.get(key)
    read = None if upload is None else (job.id, upload.file_id)
    return upload if st.session_state.get(_READ) == read else None


def _annotated(job: Job, upload: UploadedFile | None, settings: LiveSettings) -> bytes:
    """The video with the chosen overlay; until that is drawn, with the one it was read with.

    Args:
        job: The job that read it.
        upload: The file that it read, if it is still here.
        settings: What is chosen now.
    """
    film: ReadFilm = job.result
    wanted = job.id, settings.overlay, settings.bars
    if wanted[1:] == (film.overlay, film.bars):
        return film.annotated_mp4
    if upload is None:
        st.caption("Choose the file again to change what is drawn: only its result is still here.")
        return film.annotated_mp4
    if st.session_state.get(_DRAWN) != wanted:
        name = safe_name(upload.name)
        readings = replace(film, annotated_mp4=b"")
        start_job(
            REDRAW, f"Drawing {name}", redraw_film, name, upload.getvalue(), readings, *wanted[1:]
        )
    drawing = find_job(REDRAW)
    st.session_state[_DRAWN] = None if drawing is None else wanted
    if drawing is not None and show_progress(drawing):
        return drawing.result
    return film.annotated_mp4


def _draw_actions(key: str, predictor: Predictor, settings: LiveSettings, known: bool) -> None:
    with st.container(horizontal=True):
        if st.session_state.get(key) is not None:
            st.button(
                "Read it again",
                icon=":material/replay:",
                on_click=_take_file,
                args=(key, predictor, settings),
                help="With the smoothing above and the checkpoint in the sidebar. What is drawn "
                "on the face changes without it.",
            )
        if known:
            st.button("Forget this video", icon=":material/delete:", on_click=_forget)


def _take_file(key: str, predictor: Predictor, settings: LiveSettings) -> None:
    file = st.session_state[key]
    forget_job(REDRAW)
    if file is None:
        forget_job(KIND)
        return
    name = safe_name(file.name)
    start_job(KIND, f"Reading {name}", read_film, predictor, name, file.getvalue(), settings)
    started = find_own_job(KIND)
    st.session_state[_READ] = None if started is None else (started.id, file.file_id)


def _forget() -> None:
    forget_job(KIND)
    forget_job(REDRAW)
    renew_keys("video")


def _draw_result(
    predictor: Predictor, film: ReadFilm, upload: UploadedFile | None, annotated_mp4: bytes
) -> None:
    found = film.summary
    if found.failed:
        st.warning(
            f"{found.failed} of {found.frames} frames could not be read. {found.problem}",
            icon=":material/broken_image:",
        )
    for note in found.notes:
        st.warning(note, icon=":material/broken_image:")
    st.video(annotated_mp4, format="video/mp4", width=_WIDTH_PX, alt="The annotated video")
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.caption(
            f"{found.frames} frames in {say_seconds(found.seconds)}, a face in "
            f"{found.with_faces} of them, {say_people(found.people)}; read by "
            f"{as_text(film.checkpoint)}.",
            width="content",
        )
        offer_file(
            "Annotated video (MP4)",
            lambda: annotated_mp4,
            "annotated.mp4",
            "video/mp4",
            help="H.264, without the sound.",
        )
    st.fragment(_draw_timeline)(predictor, film, upload)


def _explain_moment(
    predictor: Predictor, film: ReadFilm, content: bytes, name: str, moment: FrameReading
) -> None:
    """Takes the original frame, and opens the face of which the model was surest."""
    try:
        frame_rgb = ask(frame_at, content, name, moment.time_s)
    except JobError as error:
        st.toast(as_text(str(error)), icon=":material/error:")
        return
    title = f"{name} at {moment.time_s:.1f} s.png"
    opened = link_parameters(**keep_moment(predictor, title, frame_rgb, moment.faces))
    leave_for("explain", opened | link_to_checkpoint(film.sha256))


def _draw_timeline(predictor: Predictor, film: ReadFilm, upload: UploadedFile | None) -> None:
    """A fragment, so that choosing a moment does not send the whole video again."""
    st.header("Timeline", anchor=False)
    st.caption("Click a moment in the timeline to play the video from there.")
    if is_leaving():
        st.rerun()  # the whole page, which then opens the other one
    moment = draw_timeline(film.readings, film.vocabulary, frozen=True, key="video")
    run_script("film_timeline")
    with st.container(horizontal=True):
        if moment is not None and moment.faces and upload is not None:
            st.button(
                "Explain this moment",
                icon=":material/visibility:",
                type="primary",
                on_click=_explain_moment,
                args=(predictor, film, upload.getvalue(), safe_name(upload.name), moment),
                help="Takes this frame into your session and opens it in Explain.",
            )
        show_exports(film.readings, film.vocabulary, film.checkpoint, None, "video file")
