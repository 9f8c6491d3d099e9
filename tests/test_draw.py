import numpy as np
import pytest

from fervt.draw import (
    LESS_RGB,
    MORE_RGB,
    draw_boxes,
    draw_overlay,
    fit_for_screen,
    parse_color,
)

GRAY = np.full((120, 200, 3), 90, np.uint8)
RED, BLUE = "#FF0000", "#0000FF"


def test_a_box_is_drawn_where_it_belongs_and_nowhere_else():
    drawn = draw_boxes(GRAY, [(40, 30, 140, 100)], [""], [RED])
    assert (GRAY == 90).all(), "the input is left alone"
    assert (drawn[30, 40:140] == (255, 0, 0)).all()
    assert (drawn[99, 40:140] == (255, 0, 0)).all()
    assert (drawn[30:100, 40] == (255, 0, 0)).all()
    assert (drawn[30:100, 139] == (255, 0, 0)).all()
    assert (drawn[35:95, 45:135] == 90).all()
    assert (drawn[:28] == 90).all() and (drawn[:, 142:] == 90).all()


def test_each_box_has_its_own_color():
    drawn = draw_boxes(GRAY, [(10, 40, 50, 90), (120, 40, 180, 90)], ["", ""], [RED, BLUE])
    assert tuple(drawn[40, 30]) == (255, 0, 0)
    assert tuple(drawn[40, 150]) == (0, 0, 255)


@pytest.mark.parametrize("box", [(40, 60, 80, 100), (0, 0, 60, 60), (170, 0, 200, 40)])
def test_a_caption_is_seen_wherever_the_box_lies(box):
    with_caption = draw_boxes(GRAY, [box], ["Happy"], [BLUE])
    without = draw_boxes(GRAY, [box], [""], [BLUE])
    changed = np.argwhere((with_caption != without).any(axis=2))
    assert len(changed) > 150
    assert with_caption.min(axis=2).max() > 180, "light letters on a dark color"


def test_captions_are_dark_on_a_light_color():
    drawn = draw_boxes(GRAY, [(40, 60, 80, 100)], ["2"], ["#FFFF00"])
    assert drawn.max(axis=2).min() < 80


def test_large_images_are_scaled_down_and_small_ones_enlarged_pixel_by_pixel():
    large, factor = fit_for_screen(np.zeros((1000, 2400, 3), np.uint8))
    assert large.shape == (400, 960, 3) and factor == pytest.approx(0.4)
    small = np.arange(7 * 5 * 3, dtype=np.uint8).reshape(7, 5, 3)
    enlarged, times = fit_for_screen(small)
    assert times == 137 and enlarged.shape == (7 * 137, 5 * 137, 3)
    assert (enlarged[::137, ::137] == small).all() and (enlarged[136::137, 136::137] == small).all()


def test_colors_are_read_as_red_green_blue():
    assert parse_color("#0A14FF") == (10, 20, 255)


def test_cells_above_the_average_are_orange_and_the_face_stays_clear_elsewhere():
    face, values = np.full((14, 14, 3), 100, np.uint8), np.ones((7, 7))
    values[2, 5], values[6, 3] = 2.0, 0.2
    drawn = draw_overlay(face, values, opacity=1.0)
    assert (drawn[4:6, 10:12] == MORE_RGB).all()
    assert (drawn != face).any(axis=2).sum() == 4
    values -= 1
    drawn = draw_overlay(face, values, high=0.8, opacity=1.0, signed=True)
    assert (drawn[4:6, 10:12] == MORE_RGB).all() and (drawn[12:, 6:8] == LESS_RGB).all()
    assert (drawn != face).any(axis=2).sum() == 8
