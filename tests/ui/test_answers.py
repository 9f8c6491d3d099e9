import csv
import json
from io import StringIO

import numpy as np
import pytest

from fervt.predict import Prediction
from fervt.table import START
from fervt.ui.answers import answers_as_csv, answers_as_json, summarize
from fervt.ui.images import Picture

CLASSES = ("angry", "happy", "sad")
NOTHING = np.zeros((2, 2, 3), np.uint8)


def face(*probabilities: float, box=(1, 2, 30, 40)) -> Prediction:
    return Prediction(
        box, 12.5, CLASSES, np.array(probabilities, np.float32), NOTHING, NOTHING, 3.25
    )


def picture(name: str) -> Picture:
    return Picture(name, name, NOTHING, 64, 48)


ANSWERS = [
    (picture("a, b.png"), [face(0.25, 0.5, 0.25), face(0.75, 0.25, 0.0, box=(5, 6, 7, 8))]),
    (picture("empty.png"), []),
]


class OneCheckpoint:
    name = "alpha"
    sha256 = "0" * 64


def test_csv_has_a_row_a_face():
    header, *rows = csv.reader(StringIO(answers_as_csv(ANSWERS)))
    assert header == [*START, *CLASSES]
    assert rows == [
        [
            "a, b.png",
            "ok",
            "1",
            "1",
            "2",
            "30",
            "40",
            "12.5",
            "happy",
            "0.250000",
            "0.500000",
            "0.250000",
        ],
        [
            "a, b.png",
            "ok",
            "2",
            "5",
            "6",
            "7",
            "8",
            "12.5",
            "angry",
            "0.750000",
            "0.250000",
            "0.000000",
        ],
        ["empty.png", "no face", "0", *[""] * 9],
    ]


def test_json_is_what_the_command_line_prints():
    first, second = json.loads(answers_as_json(OneCheckpoint(), ANSWERS))
    assert (first["file"], first["width"], first["height"]) == ("a, b.png", 64, 48)
    assert first["checkpoint"] == "alpha"
    assert first["faces"][1] == {
        "box_xyxy_px": [5, 6, 7, 8],
        "angle_deg": 12.5,
        "label": "angry",
        "probabilities": {"angry": 0.75, "happy": 0.25, "sad": 0.0},
        "latency_ms": 3.25,
    }
    assert second["faces"] == [] and second["note"] == ""


def test_json_says_what_a_picture_lacks():
    lacking = Picture("x", "x.jpg", NOTHING, 64, 48, note="It is truncated.")
    (only,) = json.loads(answers_as_json(OneCheckpoint(), [(lacking, [])]))
    assert only["note"] == "It is truncated."


@pytest.mark.parametrize("name", ["=1+1.png", "@SUM(A1).png", "+x.png", "-x.png"])
def test_a_file_name_is_no_formula_in_a_spreadsheet(name):
    _, row = csv.reader(StringIO(answers_as_csv([(picture(name), [face(1, 0, 0)])])))
    assert row[0] == f"'{name}"


@pytest.mark.parametrize(
    ("faces", "words"),
    [
        ([], "No face found"),
        ([face(0.1, 0.7, 0.2)], "Happy, 70%"),
        ([face(0.1, 0.4, 0.5)], "Sad, 50%"),
        ([face(0.1, 0.45, 0.45)], "Unsure: Happy or Sad"),
        ([face(0.6, 0.2, 0.2), face(0.1, 0.7, 0.2), face(0, 0, 1)], "Angry, 60% +2"),
    ],
)
def test_a_few_words_on_an_image(faces, words):
    assert summarize(OneCheckpoint(), faces) == words
