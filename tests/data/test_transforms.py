"""The way from a face to model input and back, and what augmentation may change."""

import numpy as np
import pytest
import torch

from fervt.data.transforms import FACE_SIZE, NO_AUGMENT, Augment, Preprocess


def _faces(count: int = 3) -> torch.Tensor:
    rows = torch.arange(FACE_SIZE).view(1, -1, 1)
    columns = torch.arange(FACE_SIZE).view(1, 1, -1)
    offset = torch.arange(count).view(-1, 1, 1)
    return (3 * rows + columns + 20 * offset).clamp(0, 255).to(torch.uint8)


def _input(preprocess: Preprocess, faces: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(preprocess.to_input(faces.numpy()))


def test_input_is_normalized_and_has_three_equal_channels() -> None:
    preprocess = Preprocess(image_size=42, mean=0.4, std=0.2, crop=1.0)
    faces = torch.full((2, FACE_SIZE, FACE_SIZE), 153, dtype=torch.uint8)
    images = _input(preprocess, faces)
    assert images.shape == (2, 3, 42, 42)
    torch.testing.assert_close(images, torch.full_like(images, (153 / 255 - 0.4) / 0.2))


def test_full_size_and_full_crop_is_the_face_itself_and_back() -> None:
    preprocess = Preprocess(image_size=48, mean=0.51, std=0.26, crop=1.0)
    faces = _faces()
    seen = preprocess.denormalize(preprocess.to_input(faces.numpy()))
    assert seen.shape == (3, 48, 48, 3)
    np.testing.assert_allclose(seen[..., 1], faces.numpy() / 255, atol=1e-5, rtol=0)


def test_crop_keeps_the_center() -> None:
    preprocess = Preprocess(image_size=24, mean=0.0, std=1.0, crop=0.5)
    faces = _faces(1)
    images = _input(preprocess, faces)
    torch.testing.assert_close(images[0, 0], faces[0, 12:36, 12:36].float() / 255)


def test_five_crops_are_the_center_and_the_four_corners() -> None:
    preprocess = Preprocess(image_size=36, mean=0.0, std=1.0, crop=0.75)
    faces = _faces(2)
    shares = faces.float() / 255
    windows = torch.from_numpy(preprocess.five_crops(faces.numpy()))
    assert windows.shape == (5, 2, 3, 36, 36)
    torch.testing.assert_close(windows[0], _input(preprocess, faces))
    places = ((6, 6), (0, 0), (0, 12), (12, 0), (12, 12))
    for window, (top, left) in zip(windows, places, strict=True):
        cut = shares[:, top : top + 36, left : left + 36]
        torch.testing.assert_close(window[:, 1], cut, atol=1e-5, rtol=0)


def test_no_augmentation_is_the_evaluation_transform() -> None:
    preprocess = Preprocess(image_size=42, mean=0.5, std=0.25)
    torch.testing.assert_close(NO_AUGMENT(_faces(), preprocess), _input(preprocess, _faces()))


def test_flip_mirrors_about_half_of_the_batch_and_nothing_else() -> None:
    torch.manual_seed(0)
    preprocess = Preprocess(image_size=48, mean=0.0, std=1.0, crop=1.0)
    flip = Augment(0, 0, 0, 0, True, 0, 0, 0)
    faces = _faces(1).expand(40, -1, -1)
    images = flip(faces, preprocess)
    plain = _input(preprocess, faces[:1])[0]
    same = [torch.allclose(image, plain, atol=1e-5) for image in images]
    mirrored = [torch.allclose(image, plain.flip(-1), atol=1e-5) for image in images]
    assert all(s != m for s, m in zip(same, mirrored, strict=True))
    assert 8 < sum(mirrored) < 32


@pytest.mark.parametrize(
    "augment",
    [
        Augment(30, 0, 0, 0, False, 0, 0, 0),
        Augment(0, 0.3, 0, 0, False, 0, 0, 0),
        Augment(0, 0, 0.2, 0, False, 0, 0, 0),
        Augment(0, 0, 0, 0.2, False, 0, 0, 0),
        Augment(0, 0, 0, 0, False, 0.5, 0, 0),
        Augment(0, 0, 0, 0, False, 0, 0.5, 0),
        Augment(0, 0, 0, 0, False, 0, 0, 1.0),
    ],
)
def test_every_kind_of_change_changes_each_face_its_own_way(augment: Augment) -> None:
    torch.manual_seed(0)
    preprocess = Preprocess(image_size=42, mean=0.5, std=0.25)
    faces = _faces(1).expand(4, -1, -1)
    images = augment(faces, preprocess)
    assert images.shape == (4, 3, 42, 42)
    assert torch.isfinite(images).all()
    assert not torch.allclose(images[0], images[1])
    assert not torch.allclose(images[0], _input(preprocess, faces)[0])
    torch.manual_seed(0)
    assert torch.equal(augment(faces, preprocess), images)


def test_rotation_moves_pixels_by_the_angle() -> None:
    """A dot right of the center lands on a circle about it, never outside of the range."""
    torch.manual_seed(1)
    preprocess = Preprocess(image_size=48, mean=0.0, std=1.0, crop=1.0)
    faces = torch.zeros(16, FACE_SIZE, FACE_SIZE, dtype=torch.uint8)
    faces[:, 23:25, 38:40] = 255
    images = Augment(20, 0, 0, 0, False, 0, 0, 0)(faces, preprocess)[:, 0].numpy()
    angles = []
    for image in images:
        rows, columns = np.nonzero(image > 0.3)
        row, column = rows.mean() - 23.5, columns.mean() - 23.5
        assert abs(np.hypot(row, column) - 15) < 0.7
        angles.append(np.degrees(np.arctan2(row, column)))
    assert max(np.abs(angles)) <= 21
    assert np.ptp(angles) > 15
