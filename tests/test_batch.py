"""Many images to one table: the same answers as one by one, in order, and what has no answer."""

import csv
from io import StringIO

import numpy as np
import pytest
import tiny
from zips import png, zip_of

from fervt import batch as module
from fervt.batch import predict_files
from fervt.errors import DataError
from fervt.examples import load_example
from fervt.labels import FER2013
from fervt.predict import Predictor
from fervt.table import START

ASTRONAUT = load_example("astronaut")
TWO = np.concatenate([ASTRONAUT[:, :480], ASTRONAUT[:, ::-1]], axis=1)
PLAIN = np.full((60, 80, 3), 200, np.uint8)


def encode(rgb: np.ndarray) -> bytes:
    return png(np.ascontiguousarray(rgb[..., ::-1]))


@pytest.fixture(scope="module")
def predictor(tmp_path_factory) -> Predictor:
    return Predictor(tiny.save_tiny(tmp_path_factory.mktemp("checkpoint")))


def test_rows_are_the_answers_of_each_image_in_order(predictor, monkeypatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    told: list[float] = []
    files = [
        ("more.zip", zip_of({"a/two.png": encode(TWO), "a/bad.png": b"x", "notes.txt": b"x"})),
        ("=plain.png", encode(PLAIN)),
        ("one.png", encode(ASTRONAUT)),
    ]
    found = predict_files(lambda share, _: told.append(share), predictor, files, False)
    header, *rows = csv.reader(StringIO(found.table))
    assert header == [*START, *FER2013.classes]
    bad = "'bad.png' is not an image that can be read"
    assert [[row[0], row[1].partition(" (")[0], row[2]] for row in rows] == [
        ["more.zip/a/bad.png", bad, ""],
        ["more.zip/a/two.png", "ok", "1"],
        ["more.zip/a/two.png", "ok", "2"],
        ["'=plain.png", "no face", "0"],
        ["one.png", "ok", "1"],
    ]
    assert rows[0][3:] == rows[3][3:] == [""] * 13
    for image, answers in ((TWO, rows[1:3]), (ASTRONAUT, rows[4:])):
        for face, row in zip(predictor.predict(image), answers, strict=True):
            assert row[3:9] == [*map(str, face.box_xyxy_px), str(face.angle_deg), face.label]
            np.testing.assert_allclose([float(x) for x in row[9:]], face.probabilities, atol=1e-4)
    assert found.notes == ["'more.zip': Left out: 1 file (1 .txt)."]
    assert (found.images, sum(found.faces.values())) == (3, 3)
    assert found.crops.shape == (3, 48, 48) and found.crops.dtype == np.uint8
    for crop, row in zip(found.crops, [*rows[1:3], rows[4]], strict=True):
        (reading,) = predictor.classify(crop[None])
        np.testing.assert_allclose([float(x) for x in row[9:]], reading.probabilities, atol=1e-4)
    assert found.faceless == ["=plain.png"]
    assert found.checkpoint == (predictor.name, predictor.sha256)
    (problem,) = found.problems
    assert "'bad.png' is not an image" in problem
    assert told == sorted(told)
    assert told[-1] == 1


def test_each_image_as_one_face(predictor) -> None:
    found = predict_files(
        lambda *_: None, predictor, [("x.zip", zip_of({"b.png": encode(PLAIN)}))], True
    )
    _, row = csv.reader(StringIO(found.table))
    assert row[:7] == ["b.png", "ok", "1", "0", "0", "80", "60"]
    (expected,) = predictor.predict_whole(PLAIN)
    assert row[8] == expected.label


def test_nothing_to_predict_is_a_sentence(predictor, monkeypatch) -> None:
    with pytest.raises(DataError, match="no images to predict"):
        predict_files(lambda *_: None, predictor, [("x.zip", zip_of({"a.txt": b""}))], False)
    monkeypatch.setattr(module, "MAX_IMAGES", 1)
    with pytest.raises(DataError, match="2 images are too many"):
        predict_files(lambda *_: None, predictor, [("a.png", b""), ("b.png", b"")], False)


def test_an_unreadable_image_has_a_row_that_says_why(predictor) -> None:
    found = predict_files(lambda *_: None, predictor, [("a.png", b"x")], False)
    _, row = csv.reader(StringIO(found.table))
    assert row[0] == "a.png" and row[1] == found.problems[0] and not any(row[2:])
    assert found.images == 0
    assert len(found.problems) == 1
