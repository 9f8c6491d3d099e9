"""Long work on a page: started once, found again by the id in the address, drawn until it ends.

A session has at most one job of a kind: starting another forgets the last. Whoever has the address
sees the job, so ids cannot be guessed.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import streamlit as st

from fervt.jobs import Job, JobError, Jobs
from fervt.ui.address import put, read
from fervt.ui.dead_links import say_dead
from fervt.ui.text import as_text

PARAMETER = "job"
# Work on another job's result: its id is beside that one's in the address.
PARAMETERS = {
    kind: f"{kind}_job" for kind in ("evidence", "robustness", "parts", "five_crop", "redraw")
}
REFRESH_S = 0.5

_OWN = "own_jobs"  # ids by kind, of those that this session started
_SHOWN = "shown_jobs"  # likewise, of those that it shows: after a reload, or by another's link
_PROBLEM = "job_problem"


@st.cache_resource(show_spinner=False)
def server_jobs() -> Jobs:
    """The jobs of this server, one registry for all sessions."""
    return Jobs()


def start_job(kind: str, title: str, work: Callable[..., Any], *arguments: Any) -> None:
    """Starts work that replaces the session's last of its kind; for use in callbacks.

    If it cannot start now, the next `find_job` says so.

    Args:
        kind: What sort of work, such as "video".
        title: One line to show.
        work: As for `Jobs.start`.
        *arguments: The same.
    """
    _forget(_ids(_OWN).pop(kind, ""))
    try:
        job = server_jobs().start(kind, title, work, *arguments)
    except JobError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    _ids(_OWN)[kind] = _ids(_SHOWN)[kind] = job.id
    put(_parameter(kind), job.id)


def find_job(kind: str) -> Job | None:
    """The job of this kind in the address, or the session's own; warns of a dead link."""
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(problem, icon=":material/hourglass_disabled:")
    wanted = read(_parameter(kind))
    job = server_jobs().find(wanted) if wanted else None
    if wanted and job is None:
        put(_parameter(kind), None)
        say_dead(
            _parameter(kind), "What this link showed is no longer on this server. Start it again."
        )
    if job is None or job.kind != kind:
        known = (_ids(ids).get(kind, "") for ids in (_SHOWN, _OWN))
        job = next(filter(None, map(server_jobs().find, known)), None)
    if job is not None:
        _ids(_SHOWN)[kind] = job.id
        put(_parameter(kind), job.id)
    return job


def find_own_job(kind: str) -> Job | None:
    """The job of this kind that this session started, for pages whose link must not share it."""
    return server_jobs().find(_ids(_OWN).get(kind, ""))


def forget_job(kind: str) -> None:
    """Drops the job of this kind that is shown, and the session's own; for use in callbacks."""
    _forget(_ids(_SHOWN).pop(kind, ""))
    _forget(_ids(_OWN).pop(kind, ""))


def _forget(job_id: str) -> None:
    server_jobs().forget(job_id)
    for name in (PARAMETER, *PARAMETERS.values()):
        if read(name) == job_id:
            put(name, None)


def _parameter(kind: str) -> str:
    return PARAMETERS.get(kind, PARAMETER)


def offer_another(kind: str, label: str, what: str) -> None:
    """Draws the button that drops a result ("this table") and makes room for the next."""
    st.button(
        label,
        icon=":material/restart_alt:",
        on_click=forget_job,
        args=(kind,),
        help=f"Drops {what} from the server's memory first.",
    )


def offer_forgetting(job: Job, shown: str, name: str) -> None:
    """Draws who can see a result by its link, and the button that drops it.

    Args:
        job: The job, done.
        shown: What the link shows, such as "this table".
        name: What it is in a word, for the button.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        say_who_sees(job, shown)
        st.button(
            f"Forget this {name}",
            icon=":material/delete:",
            on_click=_forget_shown,
            args=(job, name),
            help=f"Drops {shown} from the server's memory. The link then shows nothing.",
        )


def say_who_sees(job: Job, shown: str) -> None:
    """Draws who can see a result by its link, and until when, in the visitor's time."""
    offset_min = st.context.timezone_offset  # the visitor's; None without a browser
    zone = UTC if offset_min is None else timezone(timedelta(minutes=-offset_min))
    until = datetime.fromtimestamp(server_jobs().drops_at(job), zone)
    st.caption(
        f":material/public: Anyone with this link can see {shown} until you forget it, or "
        f"until {until:%H:%M}.",
        width="content",
    )


def _forget_shown(job: Job, name: str) -> None:
    for ids in (_ids(_SHOWN), _ids(_OWN)):
        if ids.get(job.kind) == job.id:  # not what this session started beside another's link
            del ids[job.kind]
    _forget(job.id)
    st.toast(f"This {name} is forgotten. Its link shows nothing now.", icon=":material/delete:")


def forget_jobs() -> None:
    """Drops all jobs that this session started, no others; for use in callbacks."""
    own = _ids(_OWN)
    while own:
        kind, job_id = own.popitem()
        if _ids(_SHOWN).get(kind) == job_id:
            del _ids(_SHOWN)[kind]
        _forget(job_id)


def has_jobs() -> bool:
    """Whether the session has anything to forget."""
    return bool(_ids(_OWN))


def show_progress(job: Job) -> bool:
    """Draws a job's progress, refreshing by itself, or why it ended without a result.

    When the job ends, the page runs again.

    Returns:
        Whether there is a result.
    """
    if job.state == "running":
        st.fragment(_draw_progress, run_every=REFRESH_S)(job)
    elif job.state == "failed":
        st.error(as_text(job.error), icon=":material/error:")
    elif job.state == "cancelled":
        st.info("Cancelled.", icon=":material/cancel:")
    return job.state == "done"


def _draw_progress(job: Job) -> None:
    if job.state != "running":
        st.rerun()
    left = job.seconds_left
    text = job.doing if left is None else f"{job.doing}, about {say_seconds(left)} left"
    with st.container(border=True):
        st.text(job.title)  # a stranger's file name may be in it
        st.progress(job.share, text)
        st.button(
            "Cancel",
            key=f"cancel_{job.id}",
            icon=":material/cancel:",
            on_click=server_jobs().cancel,
            args=(job.id,),
        )


def say_seconds(seconds: float) -> str:
    """A duration in a suitable unit."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _ids(which: str) -> dict[str, str]:
    return st.session_state.setdefault(which, {})
