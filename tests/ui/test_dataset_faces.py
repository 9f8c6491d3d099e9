"""The faces behind an evaluation's rows: found by their pixels, many of them on one sheet."""

import cv2
import numpy as np
import tiny

from fervt.data.prepared import PreparedData
from fervt.ui.dataset_faces import SHEET_COLUMNS, FaceBook


def test_a_sheet_has_the_faces_in_the_order_that_is_asked_for() -> None:
    labels = np.arange(40) % 7
    smooth = np.stack([cv2.GaussianBlur(f, (0, 0), 4) for f in tiny.draw_faces(labels)])
    data = PreparedData.from_rows(
        smooth,
        np.arange(40),
        np.repeat("x.zip", 40),
        labels,
        np.zeros((40, 10), np.uint8),
        "as drawn",
        "drawn",
    )
    wanted = [*reversed(data.sha256.tolist()), "unknown"]
    content = FaceBook(data).sheet(wanted)
    sheet = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet.shape == (2 * 48, SHEET_COLUMNS * 48)

    def tile(place: int) -> np.ndarray:
        y, x = divmod(place, SHEET_COLUMNS)
        return sheet[48 * y : 48 * (y + 1), 48 * x : 48 * (x + 1)].astype(float)

    for place in (0, 7, 29, 30, 39):
        assert np.abs(tile(place) - smooth[39 - place]).mean() < 6
    assert np.abs(tile(40) - 127).max() < 6
