"""Faces as a sequence, a table, a figure and a card."""

import json
import re
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import pytest
from html_tags import Tags
from PIL import Image

import fervt
from fervt.labels import FER2013, NOTICE


def test_faces_are_a_sequence(faces):
    assert isinstance(faces, Sequence) and len(faces) == 2
    large, small = faces
    assert large.box_xyxy_px[0] > 500 > small.box_xyxy_px[2]
    assert faces[0] is large and faces[-1] is small and small in faces
    assert isinstance(faces[:1], fervt.Faces) and list(faces[:1]) == [large]
    assert faces[1:].image is faces.image
    with pytest.raises(IndexError):
        _ = faces[2]


def test_a_face_says_what_the_predictor_says(model, faces):
    (first, _), (expected, _) = faces, model.predict(faces.image)
    assert isinstance(first.probabilities, Mapping)
    assert tuple(first.probabilities) == FER2013.classes
    assert sum(first.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert list(first.probabilities.values()) == pytest.approx(expected.probabilities.tolist())
    assert first.label == max(first.probabilities, key=first.probabilities.get)
    assert first.confidence == first.probabilities[first.label]
    assert np.array_equal(first.crop, expected.crop)
    assert np.array_equal(first.model_input, expected.model_input)
    with pytest.raises(TypeError):
        first.probabilities["fear"] = 1.0


def test_a_table_and_plain_data(faces, model):
    table = faces.to_pandas()
    start = ["left", "top", "right", "bottom", "angle_deg", "label", "confidence"]
    assert list(table.columns) == [*start, *FER2013.classes]
    assert len(table) == 2 and table.loc[0, "label"] == faces[0].label
    assert table.loc[1, "right"] == faces[1].box_xyxy_px[2]
    assert table.loc[1, "fear"] == faces[1].probabilities["fear"]
    plain = json.loads(json.dumps(faces.to_dict()))
    assert (plain["file"], plain["width"], plain["height"]) == ("", 1100, 520)
    assert plain["faces"][1] == faces[1].to_dict()
    none = model(np.full((40, 60, 3), 99, np.uint8))
    assert none.to_pandas().empty and none.to_dict()["faces"] == []


def test_figures(faces, model):
    figure = faces.plot()
    assert isinstance(figure, go.Figure) and len(figure.data) == 2
    left, top, right, bottom = faces[0].box_xyxy_px
    assert set(figure.data[0].x) == {left, right} and set(figure.data[0].y) == {top, bottom}
    assert figure.layout.yaxis.range == (520, 0)
    assert list(faces[0].plot().data[0].x) == pytest.approx(
        [100 * p for p in faces[0].probabilities.values()]
    )
    assert not model(np.full((40, 60, 3), 99, np.uint8)).plot().data


def test_short_texts_hold_no_pixels(faces, model, tmp_path, astronaut):
    assert re.fullmatch(
        r"<fervt\.Faces: 2 in 1100 x 520 px: [a-z]+ \d+%, [a-z]+ \d+%>", repr(faces)
    )
    assert re.fullmatch(r"<fervt\.Face: [a-z]+ \d+% at \(\d+, \d+, \d+, \d+\) px>", repr(faces[0]))
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    assert repr(model(tmp_path / "a.png")).startswith("<fervt.Faces: 1 in 'a.png' (512 x 512 px)")
    assert repr(model) == "<fervt.Predictor tiny: 7 classes of FER2013, on the cpu>"
    many = fervt.Faces([faces[0]] * 9, faces.image)
    assert repr(many).endswith(", ...>") and len(repr(many)) < 200


def test_the_card_of_faces(faces):
    card = Tags(faces._repr_html_())
    pictures = [attrs["src"] for tag, attrs in card.tags if tag == "img"]
    assert len(pictures) == 3  # the picture and each face
    assert all(source.startswith("data:image/jpeg;base64,") for source in pictures)
    text = " ".join(card.texts)
    assert NOTICE in text and text.count("Disgusted") >= 2 and "2 faces" in text
    assert not {"script", "style", "link"} & {tag for tag, _ in card.tags}
    assert len(faces._repr_html_()) < 400_000
    assert len([t for t, _ in Tags(faces[0]._repr_html_()).tags if t == "img"]) == 1
    many = fervt.Faces([faces[0]] * 11, faces.image)._repr_html_()
    assert "and 3 more" in many


def test_a_card_escapes_whatever_a_file_is_called(model, tmp_path, astronaut):
    path = tmp_path / "<img src=x onerror=alert(1)>&.png"
    Image.fromarray(astronaut).save(path)
    card = Tags(model(path)._repr_html_())
    assert not any("onerror" in attrs for _, attrs in card.tags)
    assert any("<img src=x onerror=alert(1)>&.png: 1 face" in text for text in card.texts)


def test_a_picture_without_a_face_has_a_card_too(model):
    card = Tags(model(np.full((40, 60, 3), 99, np.uint8))._repr_html_())
    assert "no face found" in " ".join(card.texts)
