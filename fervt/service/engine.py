"""From an image's bytes to plain data: what `/v1/predict` and the browser page have in common."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.faces import Box, crop_face, thread_detector, whole_image_box
from fervt.model.graph import grid_edges
from fervt.model.gwa import GRID
from fervt.predict import Prediction, Predictor, as_json, to_face
from fervt.service.batcher import Batcher
from fervt.service.config import ServiceConfig
from fervt.service.metrics import Metrics

EXPLANATIONS = ("gwa", "gat")

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Reading:
    """What one forward pass says of one face.

    Attributes:
        probabilities: (C,), summing to 1.
        model_input: (S, S, 3) uint8, what the model saw.
        latency_ms: Its share of the forward pass.
        gwa: (7, 7) cell weights with mean 1, None for a model without them.
        gat: One (217,) a graph layer, mean over heads; sums to 1 over each target. None for a
            model without a graph.
    """

    probabilities: NDArray[np.float32]
    model_input: Image
    latency_ms: float
    gwa: NDArray[np.float32] | None
    gat: list[NDArray[np.float32]] | None


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
        crops = [
            crop_face(image, box)
            for image, boxes in zip(images, kept, strict=True)
            for box in boxes
        ]
        readings = iter(self._batcher([to_face(crop) for crop in crops]) if crops else ())
        crop = iter(crops)
        return [
            {
                "width": image.shape[1],
                "height": image.shape[0],
                "faces_found": len(all_boxes),
                "faces": [self._as_json(b, next(crop), next(readings), explain) for b in boxes],
            }
            for image, all_boxes, boxes in zip(images, found, kept, strict=True)
        ]

    def describe_grid(self) -> dict[str, Any]:
        """The 7x7 grid that explanations refer to, and the directed edges of its graph."""
        sources, targets = grid_edges().tolist()
        return {"side": GRID, "edge_sources": sources, "edge_targets": targets}

    def _read_faces(self, faces: Sequence[Image]) -> list[Reading]:
        started = time.perf_counter()
        output, images = self.predictor.run(np.stack(faces))
        latency_ms = 1000 * (time.perf_counter() - started) / len(faces)
        probabilities = self.predictor.probabilities(output)
        seen = self.predictor.info.preprocess.denormalise(images)
        inputs = (seen * 255).round().byte().cpu().numpy()
        gwa = None if output.gwa_weights is None else output.gwa_weights.float().cpu().numpy()
        layers = None
        if output.gat_attention is not None:
            layers = [a.float().mean(dim=2).cpu().numpy() for a in output.gat_attention]
        self._metrics.count_forward(len(faces))
        return [
            Reading(
                probabilities[i],
                inputs[i],
                latency_ms,
                None if gwa is None else gwa[i],
                None if layers is None else [layer[i] for layer in layers],
            )
            for i in range(len(faces))
        ]

    def _as_json(
        self, box: Box, crop: Image, reading: Reading, explain: Sequence[str]
    ) -> dict[str, Any]:
        classes = self.predictor.classes.classes
        face = as_json(
            Prediction(
                box, classes, reading.probabilities, crop, reading.model_input, reading.latency_ms
            )
        )
        if explain:
            face["grid_xyxy_px"] = self._grid_box(box)
        if "gwa" in explain:
            face["gwa"] = None if reading.gwa is None else _rounded(reading.gwa)
        if "gat" in explain:
            face["gat"] = None if reading.gat is None else [_rounded(a) for a in reading.gat]
        return face

    def _grid_box(self, box: Box) -> list[float]:
        """Where the 7x7 grid lies in the image: the part of the square crop that is looked at."""
        left, top, right, bottom = box
        half = max(right - left, bottom - top) * self.predictor.info.preprocess.crop / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        return [round(v, 1) for v in (x - half, y - half, x + half, y + half)]


def _rounded(values: NDArray[np.float32]) -> list[Any]:
    return np.round(values.astype(np.float64), 4).tolist()
