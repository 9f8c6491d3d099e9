"""Concurrent callers share a call, each gets its own answers, and a lone one never waits."""

import threading

import pytest

from fervt.service.batcher import Batcher


class Recorder:
    """Doubles its items; the first call waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, items):
        self.batches.append(list(items))
        self.entered.set()
        assert self.go.wait(30)
        if -1 in items:
            raise ValueError("bad item")
        return [2 * item for item in items]


def call_while_busy(batcher, recorder, groups):
    """Starts one call, then the others once it runs; returns what each got."""
    results = [None] * len(groups)

    def call(index):
        try:
            results[index] = batcher(groups[index])
        except ValueError as error:
            results[index] = error

    threads = [threading.Thread(target=call, args=(i,)) for i in range(len(groups))]
    threads[0].start()
    assert recorder.entered.wait(30)
    for number, thread in enumerate(threads[1:], start=1):
        thread.start()
        while len(batcher._waiting) < number:
            pass
    recorder.go.set()
    for thread in threads:
        thread.join(30)
    return results


def test_one_caller_is_answered_at_once():
    recorder = Recorder()
    recorder.go.set()
    assert Batcher(recorder, 8)([3, 4]) == [6, 8]
    assert recorder.batches == [[3, 4]]


def test_those_who_wait_share_one_call_and_get_their_own_answers():
    recorder = Recorder()
    got = call_while_busy(Batcher(recorder, 8), recorder, [[1], [2, 3], [4], [5, 6, 7]])
    assert got == [[2], [4, 6], [8], [10, 12, 14]]
    assert recorder.batches == [[1], [2, 3, 4, 5, 6, 7]]


def test_no_call_is_larger_than_the_limit_unless_one_caller_is():
    recorder = Recorder()
    got = call_while_busy(Batcher(recorder, 3), recorder, [[1], [2, 3], [4, 5], [6, 7, 8, 9]])
    assert got == [[2], [4, 6], [8, 10], [12, 14, 16, 18]]
    assert recorder.batches == [[1], [2, 3], [4, 5], [6, 7, 8, 9]]


def test_an_error_reaches_all_of_its_call_and_nobody_else():
    recorder = Recorder()
    batcher = Batcher(recorder, 3)
    got = call_while_busy(batcher, recorder, [[1], [2], [-1], [3], [4]])
    assert got[0] == [2] and got[4] == [8]
    assert all(isinstance(g, ValueError) for g in got[1:4])
    assert batcher([5]) == [10]


def test_many_threads_at_once():
    batcher = Batcher(lambda items: [item * item for item in items], 4)
    wrong = []

    def call(start):
        for i in range(start, start + 200):
            if batcher([i, i + 1]) != [i * i, (i + 1) * (i + 1)]:
                wrong.append(i)

    threads = [threading.Thread(target=call, args=(1000 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


@pytest.mark.parametrize("limit", [1, 2])
def test_a_lone_group_larger_than_the_limit_is_one_call(limit):
    batches = []
    Batcher(lambda items: batches.append(list(items)) or items, limit)([1, 2, 3])
    assert batches == [[1, 2, 3]]
