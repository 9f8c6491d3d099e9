"""Boxes are where the faces are, in the pixels of the image that was given."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from fervt.errors import ConfigError
from fervt.examples import EXAMPLES, load_example
from fervt.faces import FaceDetector, thread_detector
from fervt.faces.haar import HaarSearch
from fervt.faces.libfacedetection import LibfacedetectionSearch

FACE_PX = (177, 66, 274, 163)  # the astronaut's, looked at


def overlap(a, b) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inside = max(width, 0) * max(height, 0)
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return inside / (sum(areas) - inside)


@pytest.fixture(
    scope="module",
    params=[
        HaarSearch,
        pytest.param(
            LibfacedetectionSearch,
            marks=pytest.mark.skipif(
                not LibfacedetectionSearch.is_available(), reason="no wheel for this platform"
            ),
        ),
    ],
)
def detector(request) -> FaceDetector:
    return FaceDetector(search=request.param())


def test_exactly_one_face_on_the_astronaut(detector):
    (face,) = detector.detect(load_example("astronaut"))
    assert overlap(face.box_xyxy_px, FACE_PX) > 0.75 and face.angle_deg == 0
    assert all(isinstance(edge, int) for edge in face.box_xyxy_px)


OTHERS = ("eye hidden", "grace hopper", "group")


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in OTHERS])
def test_the_face_is_found_in_the_examples(name, detector):
    found = detector.detect(load_example(name))
    left, top, right, bottom = FACE_PX
    expected = (512 - right, top, 512 - left, bottom) if name == "mirrored" else FACE_PX
    assert len(found) == 1 and overlap(found[0].box_xyxy_px, expected) > 0.75


def test_everybody_is_found_in_the_other_examples(detector):
    (hopper,) = detector.detect(load_example("grace hopper"))
    assert overlap(hopper.box_xyxy_px, (168, 124, 368, 324)) > 0.65
    left, right = sorted(face.box_xyxy_px[0] for face in detector.detect(load_example("group")))
    assert left < 210 and right > 420, "one person each in the left and the right picture"


def test_large_images_are_searched_small_and_answered_in_their_own_pixels(detector):
    image = load_example("astronaut")[:300]
    large = cv2.resize(image, (512 * 5, 300 * 5))
    (face,) = detector.detect(large)
    assert overlap(face.box_xyxy_px, tuple(5 * edge for edge in FACE_PX)) > 0.75
    tiny = FaceDetector(side_px=24, search=detector._search)
    assert tiny.detect(large) == []  # 5 px wide there


def test_faces_in_a_panorama_are_found_as_in_any_photo(detector):
    """As many pixels as a photo, ten times as wide as high: scaled by area, not by the side."""
    image = load_example("astronaut")[:300, 50:450]
    wide = np.full((400, 4000, 3), 140, np.uint8)
    for left in (100, 1900, 3500):
        wide[60:360, left : left + 400] = image
    found = sorted(face.box_xyxy_px[0] for face in detector.detect(wide))
    assert len(found) == 3 and found == pytest.approx([225, 2025, 3625], abs=15)


def test_largest_first(detector):
    image = load_example("astronaut")
    small = cv2.resize(image[:220, 100:350], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    scene = np.full((240, 420, 3), 128, np.uint8)
    scene[40 : 40 + small.shape[0], : small.shape[1]] = small
    scene[:220, 160:410] = image[:220, 100:350]
    first, second = detector.detect(scene)
    assert first.box_xyxy_px[0] > 160 > second.box_xyxy_px[0]


def test_no_face_in_noise_or_in_images_of_any_size(detector):
    noise = np.random.default_rng(0).integers(0, 255, (200, 310, 3), np.uint8)
    assert detector.detect(noise) == []
    for height, width in [(1, 1), (1, 4000), (3000, 2), (23, 25)]:
        assert detector.detect(np.zeros((height, width, 3), np.uint8)) == []


def test_each_thread_has_its_own_detector():
    others = []
    thread = threading.Thread(target=lambda: others.append(thread_detector()))
    thread.start()
    thread.join()
    assert thread_detector() is thread_detector()
    assert thread_detector() is not others[0]
    assert thread_detector(320) is not thread_detector()
    assert thread_detector(persistent=False) is not thread_detector()


@pytest.mark.parametrize("content", [None, b"", b"this is no network"])
def test_a_bad_yunet_file_is_one_sentence(tmp_path, monkeypatch, content):
    path = tmp_path / "yunet.onnx"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("FERVT_YUNET", str(path))
    with pytest.raises(ConfigError, match=r"^FERVT_YUNET names '.*yunet\.onnx', which is n.*\.$"):
        FaceDetector()


def test_yunet_is_taken_when_named(tmp_path, monkeypatch):
    """With a stand-in for the network, which is no part of the project: its rows become faces."""

    class Network:
        size = 64, 64

        def setInputSize(self, size):
            self.size = size

        def detect(self, image_bgr):
            assert image_bgr.shape == (self.size[1], self.size[0], 3)
            if image_bgr[0, 0].tolist() != [3, 2, 1]:  # also sees that channels are swapped
                return 1, None
            landmarks = [0.0] * 10
            rows = [[2, 3, 8, 20, *landmarks, 0.95], [30, -6, 30, 40, *landmarks, 0.96]]

            return 1, np.array(rows, np.float32)

    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"model")
    monkeypatch.setenv("FERVT_YUNET", str(path))
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: Network())
    detector = FaceDetector()
    image = np.full((50, 64, 3), (1, 2, 3), np.uint8)
    large, small = detector.detect(image)
    # Squares about the boxes' centers, 0.95 of their height wide, moved up by 0.013 of it.
    assert large.box_xyxy_px == (26, -6, 64, 32) and large.score == pytest.approx(0.96)
    assert small.box_xyxy_px == (-4, 3, 15, 22)
    assert detector.detect(image[..., ::-1].copy()) == []


@pytest.mark.parametrize("size", [(1, 200_000), (120, 60_000), (30_000, 4)])
def test_a_ribbon_costs_no_more_than_a_photo(detector, size):
    began = time.process_time()
    assert detector.detect(np.full((*size, 3), 90, np.uint8)) == []
    assert time.process_time() - began < 20  # without a bound: gigabytes, and minutes


def test_threads_may_search_for_the_first_time_at_once():
    images = [load_example("astronaut")] * 4
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda image: len(thread_detector().detect(image)), images))
    assert found == [1, 1, 1, 1]
