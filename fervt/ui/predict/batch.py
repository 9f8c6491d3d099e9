"""Many images at once: a table to download instead of faces to look at."""

import io

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fervt.batch import Answers, predict_files
from fervt.images import IMAGE_SUFFIXES
from fervt.jobs import Job
from fervt.predict import Predictor
from fervt.table import START
from fervt.ui.downloads import offer_file
from fervt.ui.fresh_keys import fresh_key, renew_keys
from fervt.ui.images import forget_too
from fervt.ui.jobs import find_job, offer_another, offer_forgetting, show_progress, start_job
from fervt.ui.predict.batch_faces import show_faces
from fervt.ui.text import as_text

KIND = "batch"
_MAX_FILE_MB = 200
_SHOWN_ROWS = 200
_SHOWN_PROBLEMS = 5


def show_batch(predictor: Predictor) -> None:
    """Draws the choice of images, the running job, or its table."""
    job = find_job(KIND)
    if job is not None and show_progress(job):
        _show_answers(job.result, job)
    elif job is None or job.state != "running":
        _draw_choice(predictor)


def _draw_choice(predictor: Predictor) -> None:
    uploads = st.file_uploader(
        "A zip of images, or many images",
        type=["zip", *IMAGE_SUFFIXES],
        accept_multiple_files=True,
        key=fresh_key("batch"),
        max_upload_size=_MAX_FILE_MB,
    )
    st.caption(
        "Your images stay in this server's memory; nothing is stored. Anyone with this page's "
        "link can see the table and its faces, until you forget them, for an hour at most."
    )
    whole_image = st.toggle(
        "Take each image as one face",
        key="batch_whole",
        help="For images already cropped to a face. Off looks for every face in each image.",
    )
    if not uploads:
        return
    forget_too("batch", _forget_uploads)
    st.button(
        f"Predict with {predictor.name}",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(predictor, uploads, whole_image),
    )


def _start(predictor: Predictor, uploads: list[UploadedFile], whole_image: bool) -> None:
    _forget_uploads()
    start_job(
        KIND,
        f"{predictor.name} on {uploads[0].name}"
        + (f" and {len(uploads) - 1:,} more" if len(uploads) > 1 else ""),
        predict_files,
        predictor,
        [(upload.name, upload.getvalue()) for upload in uploads],
        whole_image,
    )


def _forget_uploads() -> None:
    renew_keys("batch")


def _show_answers(answers: Answers, job: Job) -> None:
    found, (name, _) = sum(answers.faces.values()), answers.checkpoint
    st.markdown(
        f"**{found:,} face{'s' * (found != 1)}** in {answers.images:,} "
        f"image{'s' * (answers.images != 1)}, read by {as_text(name)}."
    )
    if answers.faceless:
        st.caption(
            f"No face was found in {len(answers.faceless):,} of them, which the table lists as "
            "face 0."
        )
    if answers.problems:
        st.warning(f"Files that could not be read: {len(answers.problems):,}.")
        for problem in answers.problems[:_SHOWN_PROBLEMS]:
            st.text(problem)
    for note in answers.notes[:_SHOWN_PROBLEMS]:
        st.caption(as_text(note))
    with st.container(horizontal=True):
        offer_file("Table (.csv)", lambda: answers.table, "expressions.csv", "text/csv", main=True)
        offer_another(KIND, "Predict other images", "this table")
    offer_forgetting(job, "this table and its faces", KIND)
    show_faces(answers)
    whole = dict.fromkeys(START[2:7], "Int64")
    rows = pd.read_csv(io.StringIO(answers.table), nrows=_SHOWN_ROWS, dtype=whole)
    with st.expander("The table", icon=":material/table:"):
        st.dataframe(rows, hide_index=True, width="stretch", alt="One row for each face")
        if len(rows) == _SHOWN_ROWS:
            st.caption(f"The first {len(rows):,} rows.")
