"""From an image's bytes to plain data: what `/v1/predict` and the browser page have in common."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.faces import Box, thread_detector, whole_image_box
from fervt.grid import GRID
from fervt.model.graph import grid_edges
from fervt.predict import Evidence, Predictor, Reading, cut_face, describe_face
from fervt.service.batcher import Batcher
from fervt.service.config import ServiceConfig
from fervt.service.metrics import Metrics

EXPLANATIONS: tuple[Evidence, ...] = ("gwa", "gat")

Image = NDArray[np.uint8]


class Engine:
    """A predictor behind a batcher, with as many face detectors as the worker has cores.

    Detectors keep state and take long to load, so they live in threads of their own: requests
    wait for their turn there, in order, instead of slowing each other down.
    """

    def __init__(self, predictor: Predictor, config: ServiceConfig, metrics: Metrics) -> None:
        self.predictor = predictor
        self._config = config
        self._metrics = metrics
        self._batcher: Batcher[Image, Reading] = Batcher(self._read_faces, config.max_batch)
        self._detectors = ThreadPoolExecutor(torch.get_num_threads(), "detector")

    def warm_up(self) -> None:
        """Makes the first request as fast as the others."""
        self.predictor.warm_up()
        self.find(np.zeros((64, 64, 3), np.uint8))

    def find(self, image: Image) -> list[Box]:
        """Boxes of all faces, the largest first."""
        side = self._config.search_side_px
        task = self._detectors.submit(lambda: thread_detector(side).detect(image))
        return [face.box_xyxy_px for face in task.result()]

    def answer(
        self,
        images: Sequence[Image],
        detect: bool = True,
        explain: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Classifies the faces of some images in one forward pass.

        Args:
            images: (h, w, 3) uint8 RGB.
            detect: False takes each image as one face.
            explain: Some of `EXPLANATIONS`.

        Returns:
            One dict an image, ready for JSON.
        """
        found = [self.find(i) if detect else [whole_image_box(i)] for i in images]
        kept = [boxes[: self._config.max_faces] for boxes in found]
        faces = [
            cut_face(image, box) for image, boxes in zip(images, kept, strict=True) for box in boxes
        ]
        readings = iter(self._batcher(faces) if faces else ())
        return [
            {
                "width": image.shape[1],
                "height": image.shape[0],
                "faces_found": len(all_boxes),
                "faces": [self._as_json(b, next(readings), explain) for b in boxes],
            }
            for image, all_boxes, boxes in zip(images, found, kept, strict=True)
        ]

    def describe_grid(self) -> dict[str, Any]:
        """The 7x7 grid that explanations refer to, and the directed edges of its graph."""
        sources, targets = grid_edges().tolist()
        return {"side": GRID, "edge_sources": sources, "edge_targets": targets}

    def _read_faces(self, faces: Sequence[Image]) -> list[Reading]:
        readings = self.predictor.classify(np.stack(faces), EXPLANATIONS)
        self._metrics.count_forward(len(faces))
        return readings

    def _as_json(self, box: Box, reading: Reading, explain: Sequence[str]) -> dict[str, Any]:
        face = describe_face(box, self.predictor.classes.classes, reading)
        if explain:
            face["grid_xyxy_px"] = self._grid_box(box)
        if "gwa" in explain:
            face["gwa"] = None if reading.gwa is None else _rounded(reading.gwa)
        if "gat" in explain:  # one a graph layer, mean over heads
            layers = None if reading.gat is None else reading.gat.mean(axis=2)
            face["gat"] = None if layers is None else _rounded(layers)
        return face

    def _grid_box(self, box: Box) -> list[float]:
        """Where the 7x7 grid lies in the image: the part of the square crop that is looked at."""
        left, top, right, bottom = box
        half = max(right - left, bottom - top) * self.predictor.info.preprocess.crop / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        return [round(v, 1) for v in (x - half, y - half, x + half, y + half)]


def _rounded(values: NDArray[np.float32]) -> list[Any]:
    return np.round(values.astype(np.float64), 4).tolist()
