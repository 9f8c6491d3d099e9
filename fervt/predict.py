"""`Predictor`: the only door from NumPy to torch and back.

Every page, the webcam, the HTTP service and the command line classify faces through it, so all of
them prepare a face in the way that the checkpoint was trained with.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fervt.checkpoint import CheckpointInfo, load_checkpoint
from fervt.data.transforms import FACE_SIZE
from fervt.errors import ImageError
from fervt.faces import Box, FoundFace, crop_face, thread_detector, whole_image_box
from fervt.labels import Vocabulary
from fervt.model import FERVTGNN, FERVTOutput, Intervention


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model says of one face.

    Attributes:
        box_xyxy_px: The face in the image, left, top, right, bottom in pixels.
        classes: C labels, in the order of `probabilities`.
        probabilities: (C,) float32, calibrated, summing to 1.
        crop: (h, h, 3) uint8 RGB, the square crop around the box.
        model_input: (S, S, 3) uint8 RGB, exactly what the model saw, denormalised with the
            checkpoint's own mean and standard deviation.
        latency_ms: Time of the forward pass, shared equally by the faces of one call.
    """

    box_xyxy_px: Box
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    crop: NDArray[np.uint8]
    model_input: NDArray[np.uint8]
    latency_ms: float

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.classes[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        """Its probability, 0..1."""
        return float(self.probabilities.max())


class Predictor:
    """A checkpoint, ready to classify faces. Thread-safe: the model keeps no state."""

    def __init__(self, checkpoint: Path) -> None:
        """Loads a checkpoint.

        Raises:
            CheckpointError: It cannot be loaded.
        """
        self.model: FERVTGNN
        self.info: CheckpointInfo
        self.model, self.info = load_checkpoint(checkpoint)
        self.name = checkpoint.stem
        self.file_bytes = checkpoint.stat().st_size
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model.to(self.device)

    @property
    def classes(self) -> Vocabulary:
        """The vocabulary of its predictions."""
        return self.info.config.classes

    def warm_up(self) -> None:
        """Runs one forward pass, so that the first real one is not the slow one."""
        self.run(np.zeros((1, FACE_SIZE, FACE_SIZE), np.uint8))

    def find_faces(self, image_rgb: NDArray[np.uint8]) -> list[FoundFace]:
        """Faces in an image (h, w, 3) uint8 RGB, the largest first."""
        return thread_detector().detect(check_image(image_rgb))

    def predict(
        self, image_rgb: NDArray[np.uint8], boxes: Sequence[Box] | None = None
    ) -> list[Prediction]:
        """Classifies the faces of an image.

        Args:
            image_rgb: (h, w, 3) uint8 RGB.
            boxes: Where the faces are; None looks for them, the largest first.

        Returns:
            One prediction a box; empty where there is no face.

        Raises:
            ImageError: The array is no such image, or a box lies outside of it.
        """
        check_image(image_rgb)
        if boxes is None:
            boxes = [face.box_xyxy_px for face in self.find_faces(image_rgb)]
        if not boxes:
            return []
        crops = [crop_face(image_rgb, _check_box(box, image_rgb)) for box in boxes]
        faces = np.stack([to_face(crop) for crop in crops])
        started = time.perf_counter()
        output, images = self.run(faces)
        probabilities = self.probabilities(output)  # waits for the device
        latency_ms = 1000 * (time.perf_counter() - started) / len(faces)
        inputs = (self.info.preprocess.denormalise(images) * 255).round().byte().cpu().numpy()
        return [
            Prediction(box, self.classes.classes, p, crop, seen, latency_ms)
            for box, p, crop, seen in zip(boxes, probabilities, crops, inputs, strict=True)
        ]

    def predict_whole(self, image_rgb: NDArray[np.uint8]) -> list[Prediction]:
        """Classifies the whole image as if it were one face."""
        return self.predict(image_rgb, [whole_image_box(check_image(image_rgb))])

    def run(
        self, faces: NDArray[np.uint8], intervention: Intervention | None = None
    ) -> tuple[FERVTOutput, torch.Tensor]:
        """Runs the model over gray faces (B, 48, 48) uint8.

        Returns:
            The model's whole output and its input (B, 3, S, S), normalised.
        """
        batch = torch.from_numpy(np.require(faces, requirements=["C", "W"])).to(self.device)
        with torch.inference_mode():
            images = self.info.preprocess.to_input(batch)
            images = images.contiguous(memory_format=torch.channels_last)
            return self.model(images, intervention), images

    def probabilities(self, output: FERVTOutput) -> NDArray[np.float32]:
        """Calibrated probabilities (B, C) of an output."""
        return (output.logits.float() / self.info.temperature).softmax(dim=1).cpu().numpy()


def as_json(prediction: Prediction) -> dict[str, Any]:
    """One face as plain data, the same at every door (command line, page, HTTP)."""
    return {
        "box_xyxy_px": list(prediction.box_xyxy_px),
        "label": prediction.label,
        "probabilities": {
            name: round(float(p), 6)
            for name, p in zip(prediction.classes, prediction.probabilities, strict=True)
        },
        "latency_ms": round(prediction.latency_ms, 2),
    }


ROW_START = ("file", "face", "left", "top", "right", "bottom", "label")
"""The first columns of a table of faces; a column for each class follows."""


def as_row(
    file: str,
    number: int,
    box_xyxy_px: Box,
    probabilities: NDArray[np.float32],
    classes: Sequence[str],
) -> list[Any]:
    """One face as a row of a table, the same at every door; see `ROW_START`."""
    label = classes[int(probabilities.argmax())]
    shown = (
        f"'{file}" if file.startswith(("=", "+", "-", "@")) else file
    )  # no spreadsheet's formula
    return [shown, number, *box_xyxy_px, label, *(f"{p:.6f}" for p in probabilities)]


def to_face(crop_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A crop (h, w, 3) uint8 RGB as the data set has faces: (48, 48) uint8 gray."""
    gray = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY)
    shrinks = min(gray.shape) > FACE_SIZE
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(gray, (FACE_SIZE, FACE_SIZE), interpolation=method)  # type: ignore[return-value]


def check_image(image_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Passes an image (h, w, 3) uint8 through.

    Raises:
        ImageError: It is anything else.
    """
    right = isinstance(image_rgb, np.ndarray) and image_rgb.dtype == np.uint8
    if not right or image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or not image_rgb.size:
        raise ImageError("An image must be a uint8 array of shape (height, width, 3) in RGB.")
    return image_rgb


def _check_box(box: Box, image_rgb: NDArray[np.uint8]) -> Box:
    left, top, right, bottom = box
    height, width = image_rgb.shape[:2]
    overlaps = left < width and top < height and right > 0 and bottom > 0
    if not (left < right and top < bottom and overlaps):
        raise ImageError(f"The box {tuple(box)} is not inside an image of {width}x{height} pixels.")
    return box
