"""Evaluating your own data on the page: input, progress, and what was left out.

The work runs in a job. The visitor's file goes to it from memory, and its result stays with the
job until the visitor forgets it.
"""

from collections import Counter

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fervt.data.archive import ImageArchive
from fervt.errors import FervtError
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.sources import Evaluated, evaluate_archive, evaluate_prepared
from fervt.labels import FERPLUS, SPLITS, expression
from fervt.predict import Predictor
from fervt.ui.checkpoints import is_own
from fervt.ui.choices import pick_one
from fervt.ui.dataset_faces import (
    count_faces,
    draw_forget_button,
    draw_uploader,
    prepared_source,
)
from fervt.ui.fresh_keys import fresh_key, renew_keys
from fervt.ui.images import forget_too
from fervt.ui.jobs import (
    find_job,
    find_own_job,
    offer_another,
    offer_forgetting,
    show_progress,
    start_job,
)
from fervt.ui.navigation import link_to
from fervt.ui.text import as_text

KIND = "evaluate"
_LISTING = "archive_listing"
_MAX_FILE_MB = 200
_ALL = "All"


def run_evaluation(predictor: Predictor) -> Evaluated | None:
    """Draws the choice of data, or the running job; returns its result once it is done."""
    job = find_job(KIND)
    if job is not None and show_progress(job):
        _show_origin(job.result, predictor)
        offer_forgetting(job, "these figures and the faces", "evaluation")
        return job.result
    if job is None or job.state != "running":
        _draw_choice(predictor)
    return None


def find_evaluated(predictor: Predictor) -> SavedEvaluation | None:
    """The visitor's evaluation of this checkpoint on one of the splits, once it is done."""
    job = find_job(KIND)
    if job is None or job.state != "done":
        return None
    found: SavedEvaluation = job.result.evaluation
    same = found.metrics.checkpoint.sha256 == predictor.sha256
    return found if same and found.split in SPLITS and not found.of_own_images else None


def find_own(sha256: str) -> SavedEvaluation | None:
    """The session's evaluation of this checkpoint file on any data; leaves the address alone."""
    job = find_own_job(KIND)
    if job is None or job.state != "done":
        return None
    found: SavedEvaluation = job.result.evaluation
    return found if found.metrics.checkpoint.sha256 == sha256 else None


def _show_origin(evaluated: Evaluated, predictor: Predictor) -> None:
    about = evaluated.evaluation.metrics.checkpoint
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{about.name} on {evaluated.evaluation.split}", width="content")
        offer_another(KIND, "Evaluate other data", "this evaluation")
        if is_own(predictor) and find_evaluated(predictor) is not None:
            link_to("compare", "Compare with others")
    if about.sha256 != predictor.sha256:
        st.warning(
            f"These figures are for {as_text(about.name)}, which was evaluated; the checkpoint in "
            f"the sidebar is {as_text(predictor.name)}.",
            icon=":material/info:",
        )
    for note in evaluated.notes:
        st.caption(as_text(note))


def _draw_choice(predictor: Predictor) -> None:
    kind = pick_one(
        "Data",
        "data",
        {"zip": "A zip of labeled images", "prepared": "A prepared file"},
        "zip",
    )
    try:
        if kind == "zip":
            _draw_archive(predictor)
        else:
            _draw_prepared(predictor)
    except FervtError as error:
        st.error(as_text(error), icon=":material/error:")


def _draw_prepared(predictor: Predictor) -> None:
    source = prepared_source()
    if source is None:
        draw_uploader()
        return
    shown = "Your file" if isinstance(source, bytes) else f"'{source.name}'"
    draw_forget_button()
    counts = count_faces(source)
    st.caption(
        f"{shown} has {', '.join(f'{count:,} faces of {s}' for s, count in counts.items())}."
    )
    if not counts:
        return
    split = pick_one("Split", "split", list(counts), list(counts)[-1])
    st.button(
        f"Evaluate {predictor.name}",
        type="primary",
        icon=":material/play_arrow:",
        on_click=start_job,
        args=(
            KIND,
            f"{predictor.name} on {counts[split]:,} faces of {split}",
            evaluate_prepared,
            predictor,
            source,
            split,
        ),
    )


def _draw_archive(predictor: Predictor) -> None:
    upload = st.file_uploader(
        "A zip of images in folders named after expressions",
        type=["zip"],
        key=fresh_key("archive"),
        max_upload_size=_MAX_FILE_MB,
    )
    st.caption(
        "Folders are named as in FER2013 or FER+, such as happy or sadness, and may be inside "
        "train, validation or test. Your images stay in this server's memory. Anyone with this "
        "page's link can see the result with its faces, until you drop it, for an hour at most."
    )
    if upload is None:
        st.session_state.pop(_LISTING, None)
        return
    archive = _look_through(upload)
    labeled = archive.labeled()
    by_label = Counter(member.label for member in labeled)
    listed = ", ".join(
        f"{by_label[i]:,} {expression(name).name}"
        for i, name in enumerate(FERPLUS.classes)
        if by_label[i]
    )
    st.caption(
        f"{len(archive.members):,} images, {len(labeled):,} of them labeled"
        + (f": {listed}." if listed else ".")
    )
    splits = sorted({member.split for member in labeled if member.split})
    split = st.selectbox("Split", [_ALL, *splits], key="archive_split") if splits else _ALL
    find_faces = st.toggle(
        "Find the face in each image",
        key="archive_find_faces",
        help="For photos. Leave it off for images already cropped to a face, as in FER2013.",
    )
    st.button(
        f"Evaluate {predictor.name}",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start_archive,
        args=(predictor, upload, None if split == _ALL else split, find_faces),
    )


def _look_through(upload: UploadedFile) -> ImageArchive:
    """The archive's list of files, read once."""
    known: tuple[str, ImageArchive] | None = st.session_state.get(_LISTING)
    if known is None or known[0] != upload.file_id:
        forget_too("archive", _forget_archive)
        known = upload.file_id, ImageArchive(upload.getvalue(), upload.name)
        st.session_state[_LISTING] = known
    return known[1]


def _forget_archive() -> None:
    renew_keys("archive")
    st.session_state.pop(_LISTING, None)


def _start_archive(
    predictor: Predictor, upload: UploadedFile, split: str | None, find_faces: bool
) -> None:
    _forget_archive()
    start_job(
        KIND,
        f"{predictor.name} on {upload.name}",
        evaluate_archive,
        predictor,
        upload.getvalue(),
        upload.name,
        split,
        find_faces,
    )
