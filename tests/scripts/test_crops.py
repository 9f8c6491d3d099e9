"""Crops of real life: the window moves by whole cells, zooms, turns, and loses light."""

import numpy as np
import pytest
import tiny
import torch

from fervt.data.prepared import write_prepared
from fervt.data.transforms import Preprocess
from fervt.faces.exposure import LEAST_MEAN
from fervt.predict import Predictor
from scripts.crops import CHANGES, accuracy, print_table


class Watching:
    """Keeps what it is asked about, and answers with the first class."""

    class info:
        preprocess = Preprocess(42, 0.5, 0.25)

    def classify_prepared(self, images: torch.Tensor) -> np.ndarray:
        self.seen = images[0, 0] * 0.25 + 0.5
        return np.eye(7)[np.zeros(len(images), int)]


def seen(face: np.ndarray, **change: float) -> np.ndarray:
    watching = Watching()
    assert accuracy(watching, face[None], np.zeros(1, int), **change) == 1
    return watching.seen.numpy()


@pytest.fixture
def face() -> np.ndarray:
    blurred = np.random.default_rng(0).integers(0, 256, (6, 6)).astype(np.float32)
    grown = torch.nn.functional.interpolate(
        torch.from_numpy(blurred)[None, None], 48, mode="bicubic"
    )
    return grown[0, 0].clamp(0, 255).byte().numpy()


def test_a_window_that_moves_shows_the_face_moved_by_a_cell_of_six_pixels(face) -> None:
    still = seen(face)
    np.testing.assert_allclose(
        seen(face, **CHANGES["one cell to the right"])[:, :30], still[:, 6:36], atol=1e-4
    )
    np.testing.assert_allclose(seen(face, **CHANGES["one cell up"])[12:], still[6:36], atol=1e-4)


def test_zoom_turn_and_light(face) -> None:
    still = seen(face)
    closer, turned, dark = (
        seen(face, **CHANGES[name])
        for name in ("zoomed to 1.2", "turned by 10 degrees", "a quarter of the light")
    )
    grid = torch.nn.functional.affine_grid(
        torch.tensor([[[1 / 1.2, 0, 0], [0, 1 / 1.2, 0]]]), [1, 1, 42, 42], align_corners=False
    )
    expected = torch.nn.functional.grid_sample(
        torch.from_numpy(still)[None, None], grid, align_corners=False
    )
    assert np.abs(closer - expected[0, 0].numpy()).mean() < 0.01
    assert np.abs(turned - still)[18:24, 18:24].mean() < np.abs(turned - still).mean()
    brightened = still * LEAST_MEAN / face.mean()
    np.testing.assert_allclose(dark, brightened.clip(0, 1), atol=0.02)
    assert abs(dark - still / 4).mean() > 0.1


def test_the_table_starts_with_the_accuracy_on_the_data_set_itself(tmp_path, capsys) -> None:
    data = tiny.tiny_data()
    write_prepared(data, tmp_path / "data.parquet")
    checkpoint = tiny.save_tiny(tmp_path)
    print_table(tmp_path / "data.parquet", [str(checkpoint)])
    lines = capsys.readouterr().out.splitlines()
    public = data.split("PublicTest")
    said = np.stack([r.probabilities for r in Predictor(checkpoint).classify(public.images)])
    right = (said.argmax(axis=1) == public.label_fer2013).mean()
    assert lines[0] == f"| crop | tiny (n = {7 * 6}) |"
    assert lines[2] == f"| as it is | {right:.1%} |"
    assert len(lines) == 2 + len(CHANGES)
