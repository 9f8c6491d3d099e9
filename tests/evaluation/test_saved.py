"""Saved evaluations as they are read: their parts fit, every choice gives its own figures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import DIMENSIONS, TO_FER2013, save_evaluation

from fervt.errors import DataError
from fervt.evaluation.comparison import join_evaluations
from fervt.evaluation.rows import translate
from fervt.evaluation.saved import FILES, Evaluation, read_evaluation
from fervt.labels import FER2013, FERPLUS


def test_figures_equal_what_was_saved(tmp_path) -> None:
    saved = read_evaluation(save_evaluation(tmp_path / "one"))
    metrics = saved.metrics
    assert saved.rows().scores == metrics.standard
    assert saved.rows(copies=False).scores == metrics.without_copies
    assert saved.rows(averaging="flip").scores == metrics.tta.standard
    assert saved.rows(averaging="flip", copies=False).scores == metrics.tta.without_copies
    assert (saved.name, saved.split, len(saved.rows(copies=False))) == ("alpha", "PrivateTest", 232)


def test_what_people_choose_does_not_pile_up(tmp_path) -> None:
    saved = read_evaluation(save_evaluation(tmp_path / "one"))
    made = []

    def make(number: int) -> int:
        return saved.remember(("lasso", number), lambda: made.append(number) or number)

    for number in range(40):
        assert (make(number), make(number), make(0)) == (number, number, 0)
    assert made == list(range(40)), "each once, also the one that is used all the time"
    make(5)
    assert made[-1] == 5, "the 32 last used are kept"
    assert saved.rows() is saved.rows(), "what follows from the files alone stays"


def test_embeddings_follow_the_rows(tmp_path) -> None:
    saved = read_evaluation(save_evaluation(tmp_path / "one", classes=FERPLUS))
    assert saved.vocabulary is FERPLUS
    assert saved.embeddings().shape == (len(saved.plain), DIMENSIONS)
    content = (saved.origin / "embeddings.npz").read_bytes()
    np.savez(saved.origin / "embeddings.npz", image_sha256=np.array(["x"]), class_token=[[1.0]])
    with pytest.raises(DataError, match="other rows"):
        saved.embeddings()
    for damaged in (b"hello", b"", content[:300] + b"xxxx" + content[304:], b"\x93NUMPY"):
        (saved.origin / "embeddings.npz").write_bytes(damaged)
        with pytest.raises(DataError, match="damaged"):
            saved.embeddings()
    (saved.origin / "embeddings.npz").unlink()
    with pytest.raises(DataError, match=r"no 'embeddings\.npz'"):
        saved.embeddings()


def test_the_other_label_set_is_the_truth_on_demand(tmp_path) -> None:
    saved = read_evaluation(save_evaluation(tmp_path / "one"))
    rows = saved.rows(truth=FERPLUS)
    majority = saved.plain["label_ferplus"].to_numpy()
    expected = TO_FER2013[majority[(majority >= 0) & (majority != 7)]]
    assert rows.labels.tolist() == expected.tolist()
    assert translate(np.array([7, -1, 4]), FERPLUS, FER2013.classes).tolist() == [-1, -1, 0]


def test_spoilt_folders_are_sentences(tmp_path) -> None:
    with pytest.raises(DataError, match="no saved evaluation"):
        read_evaluation(tmp_path / "gone")
    folder = save_evaluation(tmp_path / "one")
    other_classes = pd.read_parquet(folder / "tta.parquet").rename(columns={"happy": "happiness"})
    other_classes.to_parquet(folder / "predictions.parquet")
    with pytest.raises(DataError, match="other class columns than FER2013's"):
        read_evaluation(folder)
    folder = save_evaluation(tmp_path / "two")
    other = pd.read_parquet(folder / "tta.parquet").iloc[::-1]
    other.to_parquet(folder / "tta.parquet")
    with pytest.raises(DataError, match="different images"):
        read_evaluation(folder)


def test_evaluations_join_on_the_same_images(tmp_path) -> None:
    a = read_evaluation(save_evaluation(tmp_path / "a", seed=1))
    b = read_evaluation(save_evaluation(tmp_path / "b", "beta", seed=2))
    joined = join_evaluations([a, b], FER2013)
    assert joined.left_out == ()
    assert joined.rows[1].scores == b.metrics.standard
    other = read_evaluation(save_evaluation(tmp_path / "c", "gamma", data_seed=5))
    with pytest.raises(DataError, match="Only 0 of 240"):
        join_evaluations([a, other], FER2013)


def test_vocabularies_join_on_their_common_classes(tmp_path) -> None:
    a = read_evaluation(save_evaluation(tmp_path / "a"))
    plus = read_evaluation(save_evaluation(tmp_path / "plus", "plus", classes=FERPLUS))
    joined = join_evaluations([a, plus], FERPLUS)
    assert joined.left_out == ("Contemptuous",)
    first, second = joined.rows
    assert first.classes == second.classes == FER2013.classes
    assert (first.labels == second.labels).all()
    assert list(first.table["image_sha256"]) == list(second.table["image_sha256"])
    np.testing.assert_allclose(second.probabilities.sum(axis=1), 1, atol=1e-5)
    # The order of FER+'s columns was followed: happy is FER+'s "happiness".
    shares = second.table["happiness"] / (1 - second.table["contempt"])
    np.testing.assert_allclose(second.probabilities[:, 3], shares, rtol=1e-4)


def test_faces_that_one_of_them_lacks_are_left_out(tmp_path) -> None:
    a = read_evaluation(save_evaluation(tmp_path / "a"))
    plus = read_evaluation(save_evaluation(tmp_path / "plus", "plus", classes=FERPLUS))
    for pair in ([a, plus], [plus, a]):  # FER+ has no answer for faces without a majority
        joined = join_evaluations(pair, FER2013)
        common = set(a.plain["image_sha256"]) & set(plus.plain["image_sha256"])
        for rows in joined.rows:
            assert set(rows.table["image_sha256"]) == common
        assert len(joined.rows[0]) == len(plus.plain) < joined.longest == 240


@pytest.mark.parametrize("broken", FILES)
def test_an_evaluation_that_cannot_be_written_leaves_the_earlier_one(
    tmp_path, monkeypatch, broken
) -> None:
    new = read_evaluation(save_evaluation(tmp_path / "new", "new", seed=1))
    tokens = new.embeddings().astype(np.float16)
    folder = save_evaluation(tmp_path / "old", "old")
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if broken in path.name:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError):
        Evaluation(new.metrics, new.plain, new.mirrored, tokens).write(folder)
    assert read_evaluation(folder).name == "old"
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    monkeypatch.undo()
    Evaluation(new.metrics, new.plain, new.mirrored, tokens).write(folder)
    assert read_evaluation(folder).name == "new"
