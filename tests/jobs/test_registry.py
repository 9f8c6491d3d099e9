import gc
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import job_works as works
import pytest

from fervt.jobs import Job, JobError, Jobs, ask


@pytest.fixture(autouse=True)
def _findable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))


def wait(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(job: Job) -> Job:
    wait(lambda: job.state != "running")
    return job


def test_runs_in_another_process_and_reports_on_the_way() -> None:
    jobs = Jobs()
    job = jobs.start("count", "Counting", works.count_to, 20)
    assert job.state == "running"
    wait(lambda: 0 < job.share < 1)
    assert job.doing.startswith("number")
    assert jobs.find(job.id) is job
    assert ended(job).result == list(range(20))
    assert job.state == "done"
    assert job.ended is not None


def test_takes_and_gives_megabytes() -> None:
    data = os.urandom(5_000_000)
    job = ended(Jobs().start("reverse", "Reversing", works.square_bytes, data))
    assert job.result == data[::-1]


def test_prints_do_not_mix_with_the_answer() -> None:
    assert ended(Jobs().start("talk", "Talking", works.talk)).result == "quiet"


@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        (works.refuse, "'x.csv' has no rows."),
        (works.crash, "The work ended without an answer."),
        (works.die, "The work ended without an answer."),
    ],
)
def test_failure_is_a_sentence(work: Callable[..., None], sentence: str) -> None:
    job = ended(Jobs().start("fail", "Failing", work))
    assert job.state == "failed"
    assert job.error == sentence
    assert job.result is None


def test_an_answer_that_cannot_be_read_ends_the_job() -> None:
    job = ended(Jobs().start("bad", "Bad", works.give_unreadable))
    assert (job.state, job.error) == ("failed", "The work ended without an answer.")


@pytest.mark.parametrize("said", [("x", "y"), (0.5, 1), (float("nan"), ""), (None, "")])
def test_progress_that_is_none_ends_the_job(said: object) -> None:
    job = ended(Jobs().start("bad", "Bad", works.report_nonsense, said))
    assert (job.state, job.error) == ("failed", "The work ended without an answer.")
    assert job.share == 0 and job.doing == "Starting"


@pytest.mark.parametrize(
    "which", ["the system", "a function of ours", "a class that is no record", "a way around"]
)
def test_an_answer_calls_nothing_in_the_server(which: str, tmp_path: Path) -> None:
    trace = tmp_path / "was-here"
    job = ended(Jobs().start("bad", "Bad", works.attack, which, str(trace)))
    assert (job.state, job.error) == ("failed", "The work ended without an answer.")
    with pytest.raises(JobError, match="ended without an answer"):
        ask(works.attack_once, which, str(trace))
    assert not trace.exists()


def test_its_process_ends_in_peace(capfd) -> None:
    jobs = Jobs()
    for _ in range(5):
        job = jobs.start("count", "Counting", works.count_to, 0)
        process = jobs._jobs[job.id][1]
        ended(job)
        assert process.wait(20) >= 0  # by itself, not by a signal such as SIGABRT
    assert not capfd.readouterr().err
    for work in (works.crash, works.give_what_does_not_pickle):
        job = jobs.start("bug", "A bug", work)
        process = jobs._jobs[job.id][1]
        assert ended(job).state == "failed"
        assert process.wait(20) >= 0
    said = capfd.readouterr().err
    assert "KeyError: 'a bug'" in said and "Fatal" not in said


def test_cancel_ends_the_process() -> None:
    jobs = Jobs()
    job = jobs.start("wait", "Waiting", works.wait_forever)
    wait(lambda: job.doing.startswith("process"))
    pid = int(job.doing.split()[1])
    jobs.cancel(job.id)
    assert job.state == "cancelled"

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait(gone)
    jobs.cancel(job.id)
    assert job.state == "cancelled"


def test_more_than_allowed_are_refused_until_one_ends() -> None:
    jobs = Jobs(at_once=1)
    first = jobs.start("wait", "Waiting", works.wait_forever)
    with pytest.raises(JobError, match="running already"):
        jobs.start("count", "Counting", works.count_to, 1)
    jobs.cancel(first.id)
    assert ended(jobs.start("count", "Counting", works.count_to, 1)).result == [0]


def test_forgets() -> None:
    jobs = Jobs(keep=1)
    first = ended(jobs.start("talk", "A", works.talk))
    second = ended(jobs.start("talk", "B", works.talk))
    assert jobs.find(first.id) is None
    assert jobs.find(second.id) is second
    jobs.forget(second.id)
    assert jobs.find(second.id) is None
    assert jobs.find("never there") is None
    jobs.cancel("never there")


def test_an_ended_job_is_forgotten_in_time() -> None:
    jobs = Jobs(keep_s=0.05)
    job = ended(jobs.start("talk", "A", works.talk))
    time.sleep(0.1)
    assert jobs.find(job.id) is None


def test_an_old_result_goes_though_nobody_asks() -> None:
    jobs = Jobs(keep_s=0.05)
    result = weakref.ref(ended(jobs.start("talk", "A", works.talk)))
    wait(lambda: gc.collect() >= 0 and result() is None)


def test_one_thread_keeps_time_for_all_and_ends_with_the_last() -> None:
    before = {thread.name for thread in threading.enumerate()}
    jobs = Jobs(keep_s=0.3)
    for _ in range(5):
        ended(jobs.start("talk", "A", works.talk))
    watchers = [t for t in threading.enumerate() if "_keep_time" in t.name]
    assert len([t for t in watchers if t.name not in before]) <= 1
    wait(lambda: jobs._watcher is None)
    assert ended(jobs.start("talk", "A", works.talk)).result == "quiet"  # and it starts anew


def test_what_runs_too_long_is_stopped() -> None:
    jobs = Jobs(run_s=0.5)
    job = ended(jobs.start("wait", "Waiting", works.wait_forever))
    assert (job.state, job.error) == ("failed", "It ran for too long and was stopped.")


def test_memory_has_a_limit() -> None:
    jobs = Jobs(memory_bytes=200_000_000)
    assert ended(jobs.start("take", "A", works.take_memory, 50)).result == 50_000_000
    job = ended(jobs.start("take", "A", works.take_memory, 900))
    assert (job.state, job.error) == ("failed", "It needs more memory than is allowed.")


def test_a_page_can_wait_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(works.measure, "four") == 4
    with pytest.raises(JobError, match=r"^'x\.csv' is empty\.$"):
        ask(works.measure, "")
    with pytest.raises(JobError, match="more memory than is allowed"):
        ask(works.fill, 1500)
    monkeypatch.setattr("fervt.jobs.once._WALL_S", 0.5)
    with pytest.raises(JobError, match="too long"):
        ask(time.sleep, 600)
    monkeypatch.undo()


def test_a_process_that_cannot_be_started_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jobs = Jobs(at_once=1)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "no program"))
        with pytest.raises(JobError, match="server is busy"):
            jobs.start("talk", "A", works.talk)
        for _ in range(3):  # more than wait for a place at once
            with pytest.raises(JobError, match="server is busy"):
                ask(works.measure, "four")
    assert ended(jobs.start("talk", "A", works.talk)).result == "quiet"


def test_seconds_left() -> None:
    job = Job("id", "kind", "title", share=0.25, started=time.time() - 1000)
    assert job.seconds_left == pytest.approx(3000, abs=90)
    job.share = 0.0
    assert job.seconds_left is None


def test_ctrl_c_is_for_the_server() -> None:
    jobs = Jobs()
    job = jobs.start("wait", "Waiting", works.wait_forever)
    wait(lambda: job.doing.startswith("process"))
    os.kill(int(job.doing.split()[1]), signal.SIGINT)
    time.sleep(0.3)
    assert job.state == "running"
    jobs.cancel(job.id)


def test_threads_take_little_of_the_address_space() -> None:
    assert ask(works.read_environment, "MALLOC_ARENA_MAX") == "2"
