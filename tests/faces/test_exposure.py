"""Dark faces are brightened; others, and the data set's own, stay as they are."""

import numpy as np
import pytest

from fervt.faces import brighten
from fervt.faces.exposure import LEAST_MEAN
from fervt.predict import to_face

BRIGHT = np.random.default_rng(0).integers(110, 200, (48, 48)).astype(np.uint8)


@pytest.mark.parametrize("light", [0.5, 0.25, 0.1])
def test_a_dark_face_gets_its_contrast_back(light):
    dark = np.rint(BRIGHT * light).astype(np.uint8)
    lifted = brighten(dark)
    assert lifted.mean() == pytest.approx(LEAST_MEAN, abs=1)
    assert np.corrcoef(lifted.ravel(), BRIGHT.ravel())[0, 1] > 0.98
    assert lifted.std() / lifted.mean() == pytest.approx(BRIGHT.std() / BRIGHT.mean(), rel=0.05)


def test_a_bright_face_and_a_black_one_stay_as_they_are():
    np.testing.assert_array_equal(brighten(BRIGHT), BRIGHT)
    black = np.zeros((48, 48), np.uint8)
    np.testing.assert_array_equal(brighten(black), black)


def test_a_darkening_face_never_jumps():
    before = brighten(BRIGHT).astype(int)
    for light in np.linspace(1, 0.2, 200):
        now = brighten(np.rint(BRIGHT * light).astype(np.uint8)).astype(int)
        assert np.abs(now - before).max() <= 7
        before = now


def test_photos_are_brightened_and_the_data_sets_own_faces_are_not():
    dark = (BRIGHT * 0.25).astype(np.uint8)
    own = np.repeat(dark[..., None], 3, axis=2)
    np.testing.assert_array_equal(to_face(own), dark)
    photo = own.repeat(3, axis=0).repeat(3, axis=1)
    np.testing.assert_array_equal(to_face(photo), brighten(dark))
