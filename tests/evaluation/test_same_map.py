"""Which checkpoint is offered where a map is nearly the same for every face."""

import pytest
import tiny
from drawn_evidence import save_parts
from synthetic import save_evaluation

from fervt.evaluation.same_map import find_following
from fervt.evaluation.store import EvaluationStore
from fervt.files import file_sha256
from fervt.labels import FER2013, FERPLUS


@pytest.mark.parametrize(
    ("names", "found"), [(("gone", "cut", "same", "whole"), "whole"), (("gone", "cut"), None)]
)
def test_the_one_that_follows_is_found_beside_damaged_ones(tmp_path, monkeypatch, names, found):
    shelf = {name: tmp_path / f"{name}.safetensors" for name in names}
    for seed, (name, share) in enumerate((("same", 0.9), ("whole", 0.4))):
        path = tiny.save_tiny(tmp_path / f"{name}.safetensors", seed)
        folder = save_evaluation(tmp_path / name / "x", checkpoint_sha256=file_sha256(path))
        save_parts(folder, share=share)
    whole = (tmp_path / "whole.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr("fervt.evaluation.same_map.shipped_checkpoints", lambda: shelf)
    assert find_following(FER2013, EvaluationStore(tmp_path)) == found
    assert find_following(FERPLUS, EvaluationStore(tmp_path)) is None, "other classes"
