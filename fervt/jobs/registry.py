"""The jobs of one server: started, watched, canceled, found by id and deleted."""

import logging
import math
import pickle
import secrets
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from fervt.jobs.answers import read_answer
from fervt.jobs.process import MEMORY_BYTES, UNANSWERED, JobError, close, pack, start_process

JobState = Literal["running", "done", "failed", "cancelled"]


_log = logging.getLogger(__name__)


@dataclass
class Job:
    """One piece of long work.

    Attributes:
        id: 22 unguessable characters; anyone who has it can see the job.
        kind: The kind of work, for the page that shows it.
        title: One line for people.
        state: Its current state.
        share: How much is done, 0..1.
        doing: The current step.
        result: The work's return value, once `state` is "done".
        error: One sentence, once `state` is "failed".
        started, ended: Seconds of `time.time`; `ended` is None while it runs.
    """

    id: str
    kind: str
    title: str
    state: JobState = "running"
    share: float = 0.0
    doing: str = "Starting"
    result: Any = None
    error: str = ""
    started: float = field(default_factory=time.time)
    ended: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the share done so far; None while that is too small."""
        spent = time.time() - self.started
        if self.state != "running" or self.share < 0.02 or spent < 2:
            return None
        return spent * (1 - self.share) / self.share


def _checked(share: Any, doing: Any) -> tuple[float, str]:
    """A report of progress, which comes from a process that read a stranger's file."""
    if not (isinstance(share, (int, float)) and math.isfinite(share) and isinstance(doing, str)):
        raise ValueError("not a report of progress")
    return min(1.0, max(0.0, share)), doing


class Jobs:
    """Every job of this server process, safe to use from any thread.

    Args:
        at_once: How many may run at the same time.
        keep: How many ended jobs are kept; the oldest are dropped first.
        keep_s: How long an ended job is kept, in seconds.
        run_s: How long a job may run.
        memory_bytes: Memory that it may use on top of its libraries.
    """

    def __init__(
        self,
        at_once: int = 2,
        keep: int = 8,
        keep_s: float = 3600.0,
        run_s: float = 7200.0,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._at_once, self._keep, self._keep_s = at_once, keep, keep_s
        self._run_s, self._memory_bytes = run_s, memory_bytes
        self._lock = threading.Lock()
        self._jobs: dict[str, tuple[Job, subprocess.Popen[bytes]]] = {}
        self._changed = threading.Condition(self._lock)
        self._watcher: threading.Thread | None = None

    def start(self, kind: str, title: str, work: Callable[..., Any], *arguments: Any) -> Job:
        """Runs `work(report, *arguments)` in a new process.

        Args:
            kind: The kind of work.
            title: One line for people.
            work: A module-level function; its first argument is a `fervt.progress.Progress`. Its
                result and its other arguments must be picklable.
            arguments: The rest.

        Raises:
            JobError: As many jobs as allowed are running already, or the system cannot start
                another process.
        """
        message = pack(work, arguments, self._memory_bytes)
        with self._lock:
            self._sweep()
            running = sum(job.state == "running" for job, _ in self._jobs.values())
            if running >= self._at_once:
                raise JobError(
                    f"{running} jobs are running already; wait for one to end or cancel it."
                )
            job = Job(secrets.token_urlsafe(16), kind, title)
            process = start_process()
            self._jobs[job.id] = job, process
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._keep_time, daemon=True)
                self._watcher.start()
        threading.Thread(target=self._follow, args=(job, process, message), daemon=True).start()
        return job

    def find(self, job_id: str) -> Job | None:
        """The job with this id; None if it does not exist or was dropped."""
        with self._lock:
            self._sweep()
            found = self._jobs.get(job_id)
            return found[0] if found else None

    def drops_at(self, job: Job) -> float:
        """The latest time at which a job is dropped, or stopped if it is running (`time.time`)."""
        return job.ended + self._keep_s if job.ended else job.started + self._run_s

    def cancel(self, job_id: str) -> None:
        """Stops a job; does nothing if it has ended or does not exist."""
        with self._lock:
            found = self._jobs.get(job_id)
            if found is None or found[0].state != "running":
                return
            self._end(found[0], "cancelled")
        found[1].kill()

    def forget(self, job_id: str) -> None:
        """Stops a job if it is running, and drops its result."""
        self.cancel(job_id)
        with self._changed:
            self._jobs.pop(job_id, None)
            self._changed.notify_all()

    def _sweep(self) -> None:
        ended = sorted((job.ended, key) for key, (job, _) in self._jobs.items() if job.ended)
        old = [key for at, key in ended if at and time.time() - at > self._keep_s]
        for key in {*old, *(key for _, key in ended[: max(0, len(ended) - self._keep)])}:
            del self._jobs[key]

    def _end(self, job: Job, state: JobState, result: Any = None, error: str = "") -> None:
        job.result, job.error, job.ended = result, error, time.time()
        job.state = state
        self._changed.notify_all()

    def _follow(self, job: Job, process: subprocess.Popen[bytes], message: bytes) -> None:
        """Sends the work and receives the answers until the process ends."""
        assert process.stdin is not None and process.stdout is not None
        ending: tuple[JobState, Any, str] = "failed", None, UNANSWERED
        try:
            process.stdin.write(message)
            process.stdin.flush()
            while True:
                kind, *content = read_answer(process.stdout)
                if kind == "progress":
                    job.share, job.doing = _checked(*content)
                else:
                    ending = (
                        ("done", content[0], "") if kind == "done" else ("failed", None, content[0])
                    )
                    break
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            # What a killed process leaves: a broken pipe, or half a message.
            _log.info("A job ended without an answer (%s).", type(error).__name__)
        except Exception as error:  # the job must end, whatever its answer contains
            _log.warning("A job's answer could not be read (%s).", type(error).__name__)
        with self._lock:
            if job.state == "running":
                self._end(job, *ending)
        close(process)

    def _keep_time(self) -> None:
        """Stops jobs that run too long and drops old ones, unprompted, until none are left.

        Their results may contain people's faces.
        """
        with self._changed:
            while (due := self._look()) is not None:
                self._changed.wait(max(due - time.time(), 0.01))
            self._watcher = None

    def _look(self) -> float | None:
        """Does what is due and returns when to look again; None if no jobs are left."""
        self._sweep()
        for job, process in self._jobs.values():
            if job.state == "running" and time.time() - job.started > self._run_s:
                self._end(job, "failed", error="It ran for too long and was stopped.")
                process.kill()
        return min((self.drops_at(job) for job, _ in self._jobs.values()), default=None)
