"""What is measured besides the predictions of an evaluation: as saved, or here by a job.

A saved evaluation may lack them, and a visitor's own always does. If its faces are at
hand, they can be measured on the page. A saved evaluation is shared, so a result stays with it
only if it was measured on the server's own faces; otherwise it stays in the visitor's session.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.errors import DataError
from fervt.evaluation.averaging import FiveCrop
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.measuring import (
    measure_contributions,
    measure_evidence,
    measure_five_crop,
    measure_robustness,
)
from fervt.evaluation.parts_report import PartsReport, hash_labels
from fervt.evaluation.robustness import Robustness
from fervt.evaluation.saved import Evaluation
from fervt.predict import Predictor
from fervt.ui.dataset_faces import prepared_source
from fervt.ui.evaluation.selection import EvaluationView
from fervt.ui.jobs import find_job, show_progress, start_job
from fervt.ui.text import as_text

MAP_ROWS = "map_rows"
"""Where the session keeps the rows that are selected in the embedding map."""


@dataclass(frozen=True)
class _Work:
    """How one kind of measurement is offered.

    Attributes:
        measure: What the job runs.
        missing: What is said where it is missing.
        label: Of the button.
        option: Of `fervt evaluate`.
        by_labels: Whether it depends on the labels.
    """

    measure: Callable[..., Any]
    missing: str
    label: str
    option: str
    by_labels: bool = True


_WORK = {
    "evidence": _Work(
        measure_evidence,
        "Where the model looks was not stored with this evaluation.",
        "Measure the evidence",
        "--evidence",
    ),
    "robustness": _Work(
        measure_robustness,
        "How well this checkpoint withstands corrupted images has not been measured yet.",
        "Corrupt up to 1,000 faces",
        "--corruptions",
    ),
    "parts": _Work(
        measure_contributions,
        "What each part contributes has not been measured for this evaluation yet.",
        "Measure the parts",
        "--parts",
    ),
    "five_crop": _Work(
        measure_five_crop,
        "Averages over five crops of each face have not been measured yet.",
        "Average over five crops",
        "--five-crop",
        by_labels=False,
    ),
}


def evidence_of(view: EvaluationView, predictor: Predictor) -> Evidence | None:
    """The evidence; if there is none, draws how to get it and returns None."""
    return _measured(view, predictor, "evidence", view.evaluation.evidence)


def robustness_of(view: EvaluationView, predictor: Predictor) -> Robustness | None:
    """The answers on corrupted faces; if there are none, draws how to get them, returns None."""
    return _measured(view, predictor, "robustness", view.evaluation.robustness)


def parts_of(view: EvaluationView, predictor: Predictor) -> PartsReport | None:
    """What each part contributes; if unknown, draws how to measure it and returns None."""
    return _measured(view, predictor, "parts", view.evaluation.parts)


def five_crop_of(view: EvaluationView, predictor: Predictor) -> FiveCrop | None:
    """The answers averaged over five crops; if unknown, draws how to get them, returns None."""
    return _measured(view, predictor, "five_crop", view.evaluation.five_crop)


def _measured(
    view: EvaluationView, predictor: Predictor, kind: str, saved: Callable[[], Any]
) -> Any:
    work = _WORK[kind]
    try:
        found = saved()
    except DataError as error:
        st.warning(as_text(error), icon=":material/link_off:")
        found = None
    if found is not None:
        return found
    job = find_job(kind)
    if job is not None and (job.state == "running" or _belongs(job.result, view)):
        if not show_progress(job):
            return None
        if st.session_state.get(_shared_key(kind)) == view.evaluation.digest:
            view.evaluation.keep(job.result)
            st.rerun()  # what is above may offer it now, such as five crops
        return job.result
    if job is not None and job.state in ("failed", "cancelled"):
        show_progress(job)
    st.info(work.missing, icon=":material/center_focus_strong:")
    if view.evaluation.metrics.checkpoint.sha256 != predictor.sha256:
        st.caption(f"To measure it here, choose {as_text(view.evaluation.name)} in the sidebar.")
        return None
    images = view.evaluation.plain["image_sha256"].tolist()
    data = None if view.faces is None else view.faces.select(images)
    if data is None:
        st.caption(
            "To measure it here, choose the prepared data file under “Faces of the data set” in "
            f"the sidebar, or run `python -m fervt evaluate {work.option}`."
        )
        return None
    st.button(
        work.label,
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(
            view,
            isinstance(prepared_source(), Path),
            kind,
            f"{predictor.name} on {len(data):,} faces of {view.evaluation.split}",
            work.measure,
            predictor,
            data,
            *([view.evaluation.plain["label"].to_numpy()] if work.by_labels else []),
        ),
    )
    return None


def _start(view: EvaluationView, of_server: bool, kind: str, *arguments: Any) -> None:
    everybodys = of_server or isinstance(view.evaluation.origin, Evaluation)
    st.session_state[_shared_key(kind)] = view.evaluation.digest if everybodys else None
    start_job(kind, *arguments)


def _shared_key(kind: str) -> str:
    """Where the session keeps the digest of the evaluation that may keep its job's result."""
    return f"measured_{kind}_for_all"


def _belongs(result: Any, view: EvaluationView) -> bool:
    if not isinstance(result, Evidence | Robustness | PartsReport | FiveCrop):
        return False
    same = result.checkpoint_sha256 == view.evaluation.metrics.checkpoint.sha256
    if isinstance(result, PartsReport):
        same &= result.labels_sha256 == hash_labels(view.evaluation.plain["label"].tolist())
    return same and result.rows_sha256 == hash_rows(view.evaluation.plain["image_sha256"].tolist())


def positions_of(view: EvaluationView) -> NDArray[np.int64]:
    """The positions of the view's rows among all rows of the evaluation."""
    return view.rows.table.index.to_numpy()


def selected_in_map(view: EvaluationView) -> NDArray[np.bool_] | None:
    """Mask of the view's rows that are selected in the embedding map; None for no selection."""
    kept = st.session_state.get(MAP_ROWS)
    if not kept or kept[0] != view.evaluation.digest:
        return None
    chosen = np.isin(view.rows.table["row"].to_numpy(), kept[1])
    return chosen if chosen.any() else None


def drop_selection() -> None:
    """Forgets what is selected in the embedding map; for use in callbacks."""
    st.session_state.pop(MAP_ROWS, None)
