"""Hundreds of spoiled files of every kind: an answer or a sentence each, and nothing else."""

import pytest

from scripts import hostile


@pytest.mark.slow
def test_every_spoiled_file_is_read_or_refused_in_a_sentence():
    tally = hostile.run(300)
    assert tally.failures == []
    assert set(tally.tried) == set(hostile.KINDS) and tally.tried.total() >= 300
    assert all(tally.refused[kind] for kind in hostile.KINDS if kind != "requests")
