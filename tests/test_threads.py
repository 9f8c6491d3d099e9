"""One thread for a few faces, whatever the process is set to; and it is set back."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import tiny
import torch

from fervt import threads
from fervt.checkpoint import find_checkpoint
from fervt.engines import onnx_runtime
from fervt.explain import explain_face, what_if
from fervt.explain.trace import trace_face
from fervt.predict import Predictor
from fervt.threads import FEW_FACES, limit_process, one_thread, threads_for


@pytest.fixture
def two_threads(monkeypatch):
    before, before_in_opencv = torch.get_num_threads(), cv2.getNumThreads()
    monkeypatch.setattr(threads, "_of_process", None)
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
    cv2.setNumThreads(before_in_opencv)


@pytest.fixture
def seen(monkeypatch, tmp_path, two_threads):
    """A predictor, and how many threads each of its forward passes had."""
    predictor = Predictor(tiny.save_tiny(tmp_path))
    counts = []
    forward = predictor._model.forward
    monkeypatch.setattr(
        predictor._model,
        "forward",
        lambda *args: (counts.append(torch.get_num_threads()), forward(*args))[1],
    )
    return predictor, counts


def test_few_faces_stay_on_one_thread_and_many_use_all(seen):
    predictor, counts = seen
    predictor.classify(np.zeros((FEW_FACES, 48, 48), np.uint8))
    predictor.classify(np.zeros((FEW_FACES + 1, 48, 48), np.uint8))
    assert counts == [1, 2]
    assert torch.get_num_threads() == 2


def test_onnx_runtime_gets_the_same_numbers(monkeypatch, two_threads):
    planned, plan = [], onnx_runtime.open_session
    monkeypatch.setattr(
        onnx_runtime,
        "open_session",
        lambda content, count: (planned.append(count), plan(content, count))[1],
    )
    predictor = Predictor(find_checkpoint())
    for count in (1, FEW_FACES):
        predictor.classify(np.zeros((count, 48, 48), np.uint8))
    predictor.classify_prepared(predictor.prepare(np.zeros((49, 48, 48), np.uint8)))
    assert planned == [1]
    predictor.classify(np.zeros((FEW_FACES + 1, 48, 48), np.uint8))
    assert planned == [1, 2]


def test_explaining_stays_on_one_thread(seen):
    predictor, counts = seen
    face = np.zeros((48, 48), np.uint8)
    explain_face(predictor, face)
    assert counts == [1] * 5
    trace_face(predictor, face)
    what_if(predictor, face, "hidden", (3, 3))
    assert counts == [1] * 7
    assert torch.get_num_threads() == 2


def test_it_is_set_back_after_an_error_and_in_a_new_thread(two_threads):
    with pytest.raises(ZeroDivisionError), one_thread():
        assert torch.get_num_threads() == 1
        1 / 0  # noqa: B018
    assert torch.get_num_threads() == 2
    found = []

    def work():
        with threads_for(1):
            found.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [1]


def test_a_thread_that_computes_is_left_alone(two_threads):
    ready, go, numbers = threading.Event(), threading.Event(), []

    def compute():
        numbers.append(torch.get_num_threads())
        ready.set()
        go.wait(60)
        numbers.append(torch.get_num_threads())

    thread = threading.Thread(target=compute)
    thread.start()
    ready.wait(60)
    with one_thread():
        go.set()
        thread.join(60)
    assert numbers == [2, 2]


def test_a_large_batch_gets_what_the_process_was_given(two_threads):
    limit_process(3)
    found = []

    def work():
        with threads_for(FEW_FACES + 1):
            found.append(torch.get_num_threads())

    work()
    thread = threading.Thread(target=work)
    with one_thread():  # which is also what new threads begin with
        thread.start()
        thread.join(60)
    assert found == [3, 3]


@pytest.mark.parametrize(("set_by_user", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
@pytest.mark.parametrize("module", ["fervt.__main__", "fervt.jobs.child", "fervt.predict"])
def test_waiting_threads_sleep_unless_told_otherwise(module, set_by_user, expected):
    """OpenMP itself says what it read when PyTorch was loaded."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    environment["OMP_DISPLAY_ENV"] = "TRUE"
    if set_by_user:
        environment["OMP_WAIT_POLICY"] = set_by_user
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}, torch"],
        env=environment, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "OMP_WAIT_POLICY" in line]
    assert said and all(expected in line for line in said), done.stderr


def test_work_is_done_by_several_threads_and_given_in_order(monkeypatch) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 3)
    together = threading.Barrier(3, timeout=60)
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(9):
            taken.append(item)
            yield item

    def work(item: int) -> int:
        together.wait()  # each waits for two more: one thread would wait forever
        return -item

    found = threads.map_in_order(work, items())
    assert next(found) == 0
    assert len(taken) <= 4  # what comes later is not held yet
    assert list(found) == [-item for item in range(1, 9)]


def test_what_fails_in_a_thread_fails_where_it_is_asked_for() -> None:
    found = threads.map_in_order(lambda item: 1 // item, [1, 0, 1])
    assert next(found) == 1
    with pytest.raises(ZeroDivisionError):
        next(found)
