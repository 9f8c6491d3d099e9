"""From images to plain data, for both `/v1/predict` and the browser page."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.faces import Box, FoundFace, thread_detector, whole_image_box
from fervt.faces.detect import choose_search
from fervt.grid import GRID
from fervt.model.graph import grid_edges
from fervt.predict import Evidence, Predictor, Reading, cut_face, describe_face
from fervt.service.batcher import Batcher
from fervt.service.config import ServiceConfig
from fervt.service.metrics import Metrics

EXPLANATIONS: tuple[Evidence, ...] = ("gwa", "gat")

LIVE_SIDE_PX = 480

Image = NDArray[np.uint8]


class Responder:
    """A predictor behind a batcher, with as many face detectors as the worker has cores.

    Detectors keep state and are slow to load, so each has its own thread: requests wait their turn
    there, in order, instead of slowing each other down.
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

    def find(self, image: Image, live: bool = False) -> list[FoundFace]:
        """All faces, the largest first.

        Args:
            image: (h, w, 3) uint8 RGB.
            live: One of many frames: searched once, at a smaller size.
        """
        side = min(LIVE_SIDE_PX, self.search_side_px) if live else self.search_side_px
        return self._detectors.submit(
            lambda: thread_detector(side, persistent=not live).detect(image)
        ).result()

    @cached_property
    def detector_name(self) -> str:
        """The face detector's name."""
        return choose_search().name

    @property
    def search_side_px(self) -> int:
        """The size at which images are searched, see `ServiceConfig`."""
        return self._config.search_side_px

    def answer(
        self,
        images: Sequence[Image],
        detect: bool = True,
        explain: Sequence[str] = (),
        live: bool = False,
    ) -> list[dict[str, Any]]:
        """Classifies the faces of some images in one forward pass.

        Args:
            images: (h, w, 3) uint8 RGB.
            detect: False treats each image as one face.
            explain: Some of `EXPLANATIONS`.
            live: As in `find`.

        Returns:
            One dict per image, ready for JSON.
        """
        found = [
            self.find(i, live) if detect else [FoundFace(whole_image_box(i), 1.0)] for i in images
        ]
        kept = [some[: self._config.max_faces] for some in found]
        faces = [
            cut_face(image, face.box_xyxy_px, face.angle_deg)
            for image, some in zip(images, kept, strict=True)
            for face in some
        ]
        readings = iter(self._batcher(faces) if faces else ())
        return [
            {
                "width": image.shape[1],
                "height": image.shape[0],
                "faces_found": len(every),
                "faces": [self._as_json(face, next(readings), explain) for face in some],
            }
            for image, every, some in zip(images, found, kept, strict=True)
        ]

    def describe_grid(self) -> dict[str, Any]:
        """The 7x7 grid that explanations refer to, and the directed edges of its graph."""
        sources, targets = grid_edges().tolist()
        return {"side": GRID, "edge_sources": sources, "edge_targets": targets}

    def _read_faces(self, faces: Sequence[Image]) -> list[Reading]:
        readings = self.predictor.classify(np.stack(faces), EXPLANATIONS)
        self._metrics.count_forward(len(faces))
        return readings

    def _as_json(
        self, found: FoundFace, reading: Reading, explain: Sequence[str]
    ) -> dict[str, Any]:
        place = found.box_xyxy_px, found.angle_deg
        face = describe_face(*place, self.predictor.classes.classes, reading)
        if explain:
            face["grid_xyxy_px"] = self._grid_box(found.box_xyxy_px)
        if "gwa" in explain:
            face["gwa"] = None if reading.gwa is None else _rounded(reading.gwa)
        if "gat" in explain:  # one per graph layer, mean over heads
            layers = None if reading.gat is None else reading.gat.mean(axis=2)
            face["gat"] = None if layers is None else _rounded(layers)
        return face

    def _grid_box(self, box: Box) -> list[float]:
        """The 7x7 grid before its tilt: the part of the crop that the model sees."""
        left, top, right, bottom = box
        half = max(right - left, bottom - top) * self.predictor.info.preprocess.crop / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        return [round(v, 1) for v in (x - half, y - half, x + half, y + half)]


def _rounded(values: NDArray[np.float32]) -> list[Any]:
    return np.round(values.astype(np.float64), 4).tolist()
