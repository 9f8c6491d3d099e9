"""The crop is the square around a box, whatever the box and the image."""

import numpy as np
import pytest

from fervt.errors import ImageError
from fervt.faces import crop_face, whole_image_box


def test_crop_is_a_square_around_the_box():
    image = np.arange(20 * 30 * 3, dtype=np.uint16).reshape(20, 30, 3).astype(np.uint8)
    assert np.array_equal(crop_face(image, (5, 4, 15, 14)), image[4:14, 5:15])
    wide = crop_face(image, (5, 8, 15, 12))  # 10 x 4: grows to 10 rows around row 10
    assert np.array_equal(wide, image[5:15, 5:15])
    wide[:] = 0
    assert image.any()  # a copy


def test_crop_repeats_the_edge_outside_the_image():
    image = np.random.default_rng(0).integers(0, 255, (8, 12, 3), np.uint8)
    crop = crop_face(image, (-3, 4, 5, 12))
    assert crop.shape == (8, 8, 3)
    assert np.array_equal(crop[:4, 3:], image[4:, :5])
    assert np.array_equal(crop[:4, :3], np.repeat(image[4:, :1], 3, axis=1))
    assert np.array_equal(crop[4:], np.repeat(crop[3:4], 4, axis=0))


def test_the_whole_image_is_a_box_and_a_square_crop():
    image = np.random.default_rng(1).integers(0, 255, (6, 10, 3), np.uint8)
    box = whole_image_box(image)
    assert box == (0, 0, 10, 6)
    crop = crop_face(image, box)
    assert crop.shape == (10, 10, 3) and np.array_equal(crop[2:8], image)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (5, 9, 8, 5)])
def test_an_empty_box_is_one_sentence(box):
    with pytest.raises(ImageError, match="is empty"):
        crop_face(np.zeros((20, 30, 3), np.uint8), box)


def test_a_tilted_crop_of_a_very_long_image():
    """OpenCV itself warps nothing with a side of 32,767 pixels."""
    image = np.zeros((60, 40_000, 3), np.uint8)
    image[20:40, 39_000:39_020] = 200
    crop = crop_face(image, (39_000, 20, 39_020, 40), 90.0)
    assert crop.shape == (20, 20, 3) and (crop[2:-2, 2:-2] == 200).all()
