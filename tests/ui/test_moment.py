"""A moment of a video is opened at the face of which the model was surest."""

from types import SimpleNamespace

import numpy as np
import pytest

from fervt.ui.live import moment
from fervt.ui.live.moment import keep_moment

LEFT, RIGHT = (10, 10, 50, 50), (60, 10, 100, 50)
FRAME = np.zeros((60, 120, 3), np.uint8)


@pytest.mark.parametrize(("found", "number"), [([LEFT, RIGHT], "2"), ([RIGHT, LEFT], "1")])
def test_the_surest_face_is_found_among_the_pictures_faces(monkeypatch, found, number):
    boxes = [SimpleNamespace(box_xyxy_px=box) for box in found]
    monkeypatch.setattr(moment, "predict_faces", lambda *given: boxes)
    monkeypatch.setattr(moment, "add_picture", lambda name, content: SimpleNamespace(key=name))
    faces = [
        SimpleNamespace(box_xyxy_px=LEFT, confidence=0.4),
        SimpleNamespace(box_xyxy_px=(62, 11, 101, 49), confidence=0.9),
    ]
    opened = keep_moment(None, "a.png", FRAME, faces)
    assert opened["image"] == "a.png" and opened["face"] == number
    assert opened.get("whole") != "1"


@pytest.mark.parametrize("found", [[], [RIGHT]])
def test_a_frame_in_which_the_face_is_not_found_again_is_opened_whole(monkeypatch, found):
    boxes = [SimpleNamespace(box_xyxy_px=box) for box in found]
    monkeypatch.setattr(moment, "predict_faces", lambda *given: boxes)
    monkeypatch.setattr(moment, "add_picture", lambda name, content: SimpleNamespace(key=name))
    faces = [SimpleNamespace(box_xyxy_px=LEFT, confidence=0.4)]
    assert keep_moment(None, "a.png", FRAME, faces)["whole"] == "1"
