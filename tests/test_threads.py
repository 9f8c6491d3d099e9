"""One thread for a few faces, whatever the process is set to; and it is set back."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import tiny
import torch

from fervt.explain import explain_face
from fervt.predict import Predictor
from fervt.threads import FEW_FACES, one_thread, threads_for


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


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


def test_explaining_stays_on_one_thread(seen):
    predictor, counts = seen
    explain_face(predictor, np.zeros((48, 48), np.uint8))
    assert counts and set(counts) == {1}
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


@pytest.mark.parametrize("module", ["fervt.__main__", "fervt.jobs.child"])
def test_waiting_threads_sleep(module):
    code = f"import {module}, os; print(os.environ['OMP_WAIT_POLICY'])"
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "PASSIVE"
