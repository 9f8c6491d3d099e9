"""A tilted head is found, and its crop is upright."""

import cv2
import numpy as np
import pytest
import tiny

from fervt.examples import load_example
from fervt.faces import FaceDetector, FoundFace, crop_face
from fervt.faces.detect import choose_search
from fervt.faces.found import Framing, Sighting
from fervt.faces.haar import HaarSearch
from fervt.faces.libfacedetection import LibfacedetectionSearch
from fervt.faces.tilt import place, tilt_of
from fervt.predict import Predictor, to_face

CENTER_PX = (225.0, 114.0)  # of the astronaut's face
needs_wheel = pytest.mark.skipif(
    not LibfacedetectionSearch.is_available(), reason="no wheel for this platform"
)


def turned(angle_deg: float, light: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The astronaut turned clockwise on a larger canvas, and where her face is then."""
    image = load_example("astronaut")[:300, 60:400]
    turn = cv2.getRotationMatrix2D((165.0, 114.0), -angle_deg, 1.0)
    turn[:, 2] += 300 - np.array([165, 114])
    canvas = cv2.warpAffine(image, turn, (600, 600), borderValue=(90, 90, 90))
    return (canvas * light).astype(np.uint8), np.array([300.0, 300.0])


def from_upright(angle_deg: float) -> float:
    return (angle_deg + 180) % 360 - 180


@needs_wheel
@pytest.mark.parametrize("angle", [-135, -90, -45, -20, 20, 30, 45, 90, 180])
def test_a_tilted_head_is_found_with_its_angle(angle):
    image, center = turned(angle)
    (face,) = FaceDetector(search=LibfacedetectionSearch()).detect(image)
    left, top, right, bottom = face.box_xyxy_px
    assert np.hypot(*(np.array([left + right, top + bottom]) / 2 - center)) < 20
    assert 85 < right - left < 125
    assert abs(from_upright(face.angle_deg - angle)) < 10


@needs_wheel
@pytest.mark.parametrize("angle", [45, -90])
def test_the_crop_of_a_tilted_head_looks_like_that_of_an_upright_one(angle):
    upright, _ = turned(0)
    image, _ = turned(angle)
    detector = FaceDetector(search=LibfacedetectionSearch())
    (straight,), (tilted,) = detector.detect(upright), detector.detect(image)

    def small(picture, face, angle_deg):
        crop = crop_face(picture, face.box_xyxy_px, angle_deg)
        return cv2.resize(crop, (24, 24), interpolation=cv2.INTER_AREA).astype(float).ravel()

    right = small(upright, straight, straight.angle_deg)
    turned_back = np.corrcoef(right, small(image, tilted, tilted.angle_deg))[0, 1]
    left_alone = np.corrcoef(right, small(image, tilted, 0.0))[0, 1]
    assert turned_back > 0.85 > left_alone


@pytest.mark.parametrize("angle", [25, -50, 90, 180])
def test_the_cascade_finds_tilted_heads_on_its_second_tries(angle):
    image, center = turned(angle)
    assert FaceDetector(persistent=False, search=HaarSearch()).detect(image) == []
    (face,) = FaceDetector(search=HaarSearch()).detect(image)
    left, top, right, bottom = face.box_xyxy_px
    assert np.hypot(*(np.array([left + right, top + bottom]) / 2 - center)) < 20
    assert abs(from_upright(face.angle_deg - angle)) < 12


@pytest.mark.parametrize("search", [HaarSearch, choose_search])
def test_a_face_in_the_dark_is_found(search):
    image, center = turned(0, light=0.12)
    (face,) = FaceDetector(search=search()).detect(image)
    left, top, right, bottom = face.box_xyxy_px
    assert np.hypot(*(np.array([left + right, top + bottom]) / 2 - center)) < 20


def test_a_crop_is_turned_about_its_center_and_clockwise_angles_are_turned_back():
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:40, 30:50] = 50
    image[20:40, 45:50] = 200  # right of the center at (40, 30)
    box = (30, 20, 50, 40)
    assert np.array_equal(crop_face(image, box, 0.0), image[20:40, 30:50])
    # What lies on the right in the image is on top of a head that is tilted by 90 degrees.
    crop = crop_face(image, box, 90.0)
    assert (crop[:4] == 200).all() and (crop[6:] == 50).all()
    assert np.array_equal(crop_face(image, box, 180.0), image[20:40, 30:50][::-1, ::-1])


@pytest.mark.parametrize("angle", [-160, -60, -25, 0, 25, 60, 160])
def test_the_tilt_of_a_crop(angle):
    image, _ = turned(angle)
    assert abs(from_upright(tilt_of(image[248:352, 248:352]) - angle)) < 10


def test_without_a_tilt_a_face_stays_as_it_was_found():
    class Search:
        name, framing, second_tries, second_min_score = "test", Framing(0.1, 0.5), (), 0.0

        def __call__(self, image_rgb):
            raise AssertionError("nothing to search again")

    image, (x, y) = turned(0)
    seen = Sighting(x - 95, y - 88, 190, 200, 0.3)
    placed = place(Search(), image, seen)
    assert (placed.x, placed.y, placed.side, placed.angle_deg) == (x, y - 8, 100, 0)


def test_a_found_face_goes_through_the_door_upright(tmp_path):
    predictor = Predictor(tiny.save_tiny(tmp_path))
    image, _ = turned(90)
    place = FoundFace((250, 250, 350, 350), 1.0, 90.0)
    (prediction,) = predictor.predict(image, [place])
    assert prediction.angle_deg == 90.0
    upright = crop_face(image, (250, 250, 350, 350), 90.0)
    assert np.array_equal(prediction.crop, upright)
    (reading,) = predictor.classify(to_face(upright)[None])
    assert np.allclose(prediction.probabilities, reading.probabilities)
