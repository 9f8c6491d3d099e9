"""Answers averaged over five crops: what they are, where they lie, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from drawn_evidence import save_five_crop
from synthetic import save_evaluation

from fervt.__main__ import main
from fervt.checkpoint import load_checkpoint
from fervt.data.prepared import write_prepared
from fervt.errors import ConfigError, DataError
from fervt.evaluation.averaging import FILE, FiveCrop
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.comparison import join_evaluations
from fervt.evaluation.measuring import measure_five_crop
from fervt.evaluation.saved import read_evaluation
from fervt.labels import FER2013, FERPLUS
from fervt.predict import Predictor


def test_the_average_is_that_of_five_windows_cut_by_hand(tmp_path: Path) -> None:
    path, data = tiny.save_tiny(tmp_path, crop=28 / 48), tiny.tiny_data().split("PrivateTest")
    answers = []
    model, _ = load_checkpoint(path)
    for top, left in ((10, 10), (0, 0), (0, 20), (20, 0), (20, 20)):
        window = data.images[:, top : top + 28, left : left + 28]
        images = torch.from_numpy((window / 255 - 0.4) / 0.25).float()
        with torch.inference_mode():
            logits = model(images.unsqueeze(1).expand(-1, 3, -1, -1)).logits
        answers.append(logits.softmax(dim=1).numpy())
    assert np.ptp(answers, axis=0).max() > 1e-3, "the windows differ"
    shares: list[float] = []
    found = measure_five_crop(
        lambda share, doing: shares.append(share), Predictor(path, engine="torch"), data, 9
    )
    np.testing.assert_allclose(found.probabilities, np.mean(answers, axis=0), atol=1e-5)
    assert found.rows_sha256 == hash_rows(data.sha256.tolist())
    assert shares == sorted(shares) and shares[-1] == 1


def command(checkpoint: Path, data: Path, out: Path, *more: str) -> list[str]:
    return [
        "evaluate", f"--checkpoint={checkpoint}", f"--data={data}", f"--out={out}", *more,
    ]  # fmt: skip


def test_the_command_prints_and_saves_them(tmp_path: Path, capsys) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    words = command(tiny.save_tiny(tmp_path), tmp_path / "data.parquet", tmp_path / "out")
    assert main(words) == 0
    assert "five-crop" not in capsys.readouterr().out
    assert not (tmp_path / "out" / FILE).exists()
    assert main([*words, "--five-crop"]) == 0
    saved = read_evaluation(tmp_path / "out")
    scores = saved.rows(averaging="five-crop").scores
    line = f"standard, five-crop: accuracy {scores.accuracy:.2%}"
    assert line in capsys.readouterr().out
    assert main(words) == 0, "what still belongs stays and is shown"
    assert line in capsys.readouterr().out
    again = tmp_path / "again"
    again.mkdir()
    for name, content in saved.as_files().items():
        (again / name).write_bytes(content)
    assert read_evaluation(again).rows(averaging="five-crop").scores == scores


def test_a_checkpoint_that_reads_whole_faces_has_no_crops(tmp_path: Path, capsys) -> None:
    path = tiny.save_tiny(tmp_path, crop=1.0)
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    words = command(path, tmp_path / "data.parquet", tmp_path / "out", "--five-crop")
    assert main(words) == 2
    assert "reads the whole face" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="reads the whole face"):
        measure_five_crop(lambda *_: None, Predictor(path, engine="torch"), tiny.tiny_data())


def test_no_faces_are_a_sentence(tmp_path: Path) -> None:
    none = tiny.tiny_data().select(np.zeros(168, bool))
    with pytest.raises(DataError, match="no faces"):
        measure_five_crop(
            lambda *_: None, Predictor(tiny.save_tiny(tmp_path), engine="torch"), none
        )


@pytest.mark.parametrize("classes", [FER2013, FERPLUS])
def test_five_crops_are_a_way_to_evaluate_where_they_were_measured(tmp_path, classes) -> None:
    folder = save_evaluation(tmp_path / "alpha", classes=classes)
    saved = read_evaluation(folder)
    assert saved.averagings == ("none", "flip")
    assert len(saved.ways()) == 4
    with pytest.raises(DataError, match="were not measured; run `fervt evaluate --five-crop`"):
        saved.rows(averaging="five-crop")
    found = save_five_crop(folder)
    saved = read_evaluation(folder)
    assert saved.averagings == ("none", "flip", "five-crop")
    ways = dict(saved.ways())
    assert [way for way in ways if "five crops" in way] == [
        "all faces, five crops",
        "without copies, five crops",
    ]
    rows = ways["all faces, five crops"]
    np.testing.assert_array_equal(rows.probabilities, found.probabilities)
    np.testing.assert_array_equal(rows.labels, saved.rows().labels)
    assert list(rows.table.columns) == list(saved.plain.columns)
    assert len(ways["without copies, five crops"]) == len(saved.rows(copies=False))
    assert len(saved.rows(averaging="five-crop", truth=FERPLUS)) == len(saved.rows(truth=FERPLUS))
    assert saved.rows().scores == saved.metrics.standard


def test_an_unknown_averaging_is_a_sentence(tmp_path) -> None:
    saved = read_evaluation(save_evaluation(tmp_path / "alpha"))
    for wrong in ("ten-crop", True, None):
        with pytest.raises(ConfigError, match="Averaging is none, flip, five-crop, not"):
            saved.rows(averaging=wrong)


def test_a_comparison_needs_all_of_them_measured(tmp_path) -> None:
    folders = [save_evaluation(tmp_path / n, n, seed=i) for i, n in enumerate(("a", "b"))]
    save_five_crop(folders[0])
    with pytest.raises(DataError, match="Five crops of b on PrivateTest were not measured"):
        join_evaluations(list(map(read_evaluation, folders)), FER2013, averaging="five-crop")
    save_five_crop(folders[1], seed=3)
    both = list(map(read_evaluation, folders))
    joined = join_evaluations(both, FER2013, averaging="five-crop")
    for rows, saved in zip(joined.rows, both, strict=True):
        assert rows.scores == saved.rows(averaging="five-crop").scores


def test_a_part_switched_off_has_no_five_crops(tmp_path) -> None:
    folder = save_evaluation(tmp_path / "alpha", neutralized="gwa")
    save_five_crop(folder)
    assert (folder / FILE).is_file()
    assert read_evaluation(folder).averagings == ("none", "flip")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"checkpoint_sha256": "1" * 64}, "another checkpoint"),
        ({"rows_sha256": "1" * 64}, "other rows"),
        ({"probabilities": np.full((239, 7), 1 / 7, np.float32)}, "damaged"),
        ({"probabilities": np.full((240, 8), 1 / 8, np.float32)}, "damaged"),
        ({"probabilities": np.full((240, 7), 0.2, np.float32)}, "damaged"),
        ({"probabilities": np.full((240, 7), np.nan, np.float32)}, "damaged"),
        ({"probabilities": np.tile([2.0, -1, 0, 0, 0, 0, 0], (240, 1))}, "damaged"),
        ({"probabilities": np.tile([1, 0, 0, 0, 0, 0, 0], (240, 1))}, "damaged"),
        ({"probabilities": np.full(240, "much")}, "damaged"),
    ],
)
def test_what_does_not_belong_or_is_no_probability_is_refused(tmp_path, change, sentence) -> None:
    folder = save_evaluation(tmp_path / "alpha")
    replace(save_five_crop(folder), **change).write(folder)
    saved = read_evaluation(folder)
    for read in (saved.five_crop, saved.ways, lambda: saved.rows(averaging="five-crop")):
        with pytest.raises(DataError, match=rf"'{FILE}'.*{sentence}"):
            read()
    assert saved.rows().scores == saved.metrics.standard


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(40), None])
def test_damaged_files_are_a_sentence(tmp_path, content) -> None:
    folder = save_evaluation(tmp_path / "alpha")
    save_five_crop(folder)
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(DataError, match="damaged"):
        read_evaluation(folder).five_crop()
    np.savez(folder / FILE, probabilities=np.full((240, 7), 1 / 7))
    with pytest.raises(DataError, match="another version"):
        read_evaluation(folder).five_crop()


def test_what_is_kept_in_memory_is_saved_too(tmp_path) -> None:
    saved = read_evaluation(save_evaluation(tmp_path / "alpha"))
    digests = saved.plain["image_sha256"]
    shares = np.full((240, 7), 1 / 7, np.float32)
    assert saved.five_crop() is None
    saved.keep(FiveCrop(saved.metrics.checkpoint.sha256, hash_rows(digests), shares))
    assert saved.averagings[-1] == "five-crop"
    assert FILE in saved.as_files()
