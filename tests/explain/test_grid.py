"""One grid for everything: a cell is the same pixels for GWA, occlusion, drawing and display."""

import numpy as np
import pytest
import torch

from fervt.draw import draw_overlay
from fervt.explain import seen_part
from fervt.explain.grid import hide_cells, resample_by_area
from fervt.figures.overlay import overlay_figure
from fervt.predict import to_face

CELLS = [(0, 0), (2, 5), (6, 3)]


def pixels_that_the_patch_reads(predictor, cell):
    """Which pixels change GWA's embedding of a patch, asked of the model itself."""
    size = predictor.info.config.image_size
    image = torch.zeros(1, 3, size, size, requires_grad=True)
    patch = predictor._model.gwa.embed(image)[0, :, cell[0], cell[1]].sum()
    (gradient,) = torch.autograd.grad(patch, image)
    return (gradient[0].abs().sum(dim=0) > 0).numpy()


@pytest.mark.parametrize("size", [28, 35])
@pytest.mark.parametrize("cell", CELLS)
def test_every_view_of_a_cell_covers_what_gwas_patch_reads(make_predictor, size, cell):
    read = pixels_that_the_patch_reads(make_predictor(image_size=size), cell)
    assert read.sum() == (size // 7) ** 2

    hidden = torch.zeros(1, 7, 7)
    hidden[0, cell[0], cell[1]] = 1
    kept = hide_cells(torch.ones(1, 3, size, size), hidden)[0].numpy()
    np.testing.assert_array_equal(kept == 0, np.broadcast_to(read, kept.shape))

    values = np.zeros((7, 7))
    values[cell] = 2
    white = np.full((size, size, 3), 255, np.uint8)
    drawn = draw_overlay(white, values, opacity=1.0)
    other = drawn[0, -1] if cell != (0, 6) else drawn[-1, 0]
    np.testing.assert_array_equal((drawn != other).any(axis=2), read)

    figure = overlay_figure(white, values, unit="", cell=cell)
    (heatmap,) = figure.select_traces({"type": "heatmap"})
    row, column = np.argwhere(np.asarray(heatmap.z) == 2)[0]
    top, left = np.asarray(heatmap.y)[row] - 0.5, np.asarray(heatmap.x)[column] - 0.5
    (picture,) = figure.layout.images
    assert (picture.x, picture.y, picture.sizex, picture.sizey) == (0, 0, 7, 7)
    assert list(figure.layout.yaxis.range) == [7, 0]  # row 0 at the top
    scale = size / 7
    covered = np.zeros((size, size), bool)
    covered[round(top * scale) : round((top + 1) * scale)] = True
    covered[:, : round(left * scale)] = covered[:, round((left + 1) * scale) :] = False
    np.testing.assert_array_equal(covered, read)
    outline = figure.layout.shapes[0]
    assert (outline.y0, outline.x0) == cell == (outline.y1 - 1, outline.x1 - 1)


def test_the_shown_part_of_the_crop_is_what_the_model_sees(predictor, face):
    crop = np.repeat(face[..., None], 3, axis=2)
    np.testing.assert_array_equal(to_face(crop), face)
    share, size = predictor.info.preprocess.crop, predictor.info.config.image_size
    shown = seen_part(crop, share, size)[..., 0] / 255
    preprocess = predictor.info.preprocess
    seen = preprocess.denormalize(preprocess.to_input(face[None]))[0, ..., 0]
    np.testing.assert_allclose(shown, seen, atol=0.02)


def test_a_cell_can_be_hidden_in_part():
    hidden = torch.zeros(2, 7, 7)
    hidden[1, 1, 2] = 0.25
    images = hide_cells(torch.full((1, 3, 14, 14), 4.0), hidden)
    assert images[0].eq(4).all()
    assert images[1, :, 2:4, 4:6].eq(3).all() and images[1].eq(3).sum() == 3 * 4


@pytest.mark.parametrize("shape", [(6, 6), (4, 6), (7, 7), (14, 3)])
def test_resampling_by_area_keeps_the_mean_and_the_place(shape):
    values = np.random.default_rng(0).random(shape)
    resampled = resample_by_area(values)
    assert resampled.shape == (7, 7)
    assert resampled.mean() == pytest.approx(values.mean(), rel=1e-5)
    if shape == (7, 7):
        np.testing.assert_allclose(resampled, values, rtol=1e-6)
    corner = np.zeros(shape)
    corner[0, -1] = 1
    found = resample_by_area(corner)
    assert found[0, 6] == pytest.approx(found.max()) and found[0, 0] == found[6, 6] == 0


def test_resampling_by_hand():
    # Each of 7 new cells covers 3.5 units of 2 old ones: the middle one takes half of both.
    expected = [2.0, 2.0, 2.0, 3.0, 4.0, 4.0, 4.0]
    np.testing.assert_allclose(resample_by_area(np.array([[2.0, 4.0]]))[0], expected, rtol=1e-6)
