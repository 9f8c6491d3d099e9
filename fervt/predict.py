"""`Predictor`: the only interface from NumPy to the network and back.

Pages, webcam, videos, batches, the HTTP service and the command line all classify through it,
so each of them prepares a face in the way that the checkpoint was trained with.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from fervt.checkpoint import CheckpointInfo, load_checkpoint, name_checkpoint
from fervt.data.transforms import FACE_SIZE
from fervt.device import find_device, to_device
from fervt.engines import Engine, Output, open_engine
from fervt.errors import ConfigError, ImageError
from fervt.faces import Box, FoundFace, brighten, crop_face, thread_detector, whole_image_box
from fervt.files import file_sha256
from fervt.images import check_image
from fervt.labels import Vocabulary
from fervt.model import FERVTGNN, FERVTOutput, Intervention
from fervt.model.cost import count_gmac, count_parameters
from fervt.model.graph import grid_edges
from fervt.threads import one_thread, threads_for

Evidence = Literal["input", "gwa", "gat"]
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)

_EDGES = grid_edges().numpy()
_BATCH = 64  # faces in one forward pass: more need more memory and are no faster


@dataclass(frozen=True, eq=False)
class Reading:
    """The result of one forward pass for one face; evidence that was not requested is None.

    Attributes:
        probabilities: (C,) float32, calibrated, summing to 1.
        latency_ms: The face's share of the forward pass, until its answer was in memory.
        model_input: (S, S, 3) uint8 RGB, exactly what the model saw, denormalized with the
            checkpoint's own mean and standard deviation. Asked for as "input".
        gwa: (7, 7) float32 cell weights, never negative, mean 1. None without GWA.
        gat: (L, E, H) float32 attention by graph layer, edge and head; sums to 1 over the edges
            into each target. None without the graph.
        edge_index: (2, E) int64, rows source and target; node = 7 * row + column. Comes with `gat`.
    """

    probabilities: NDArray[np.float32]
    latency_ms: float
    model_input: NDArray[np.uint8] | None = None
    gwa: NDArray[np.float32] | None = None
    gat: NDArray[np.float32] | None = None
    edge_index: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """The prediction for one face.

    Attributes:
        box_xyxy_px: The face in the image, left, top, right, bottom in pixels.
        angle_deg: How far the head, and the crop with it, is tilted clockwise in the image.
        classes: C labels, in the order of `probabilities`.
        probabilities: (C,) float32, calibrated, summing to 1.
        crop: (h, h, 3) uint8 RGB, the square crop around the box, turned upright.
        model_input: (S, S, 3) uint8 RGB, exactly what the model saw, denormalized with the
            checkpoint's own mean and standard deviation.
        latency_ms: Time of the forward pass, shared equally by the faces of one call.
    """

    box_xyxy_px: Box
    angle_deg: float
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
    """A checkpoint, ready to classify faces. Thread-safe: the model keeps no state.

    Attributes:
        info: The checkpoint's metadata.
        name: Its file's, without the extension; its shipped name if the file ships with fervt.
        file_bytes: Its file's size.
        sha256: Of its file.
        device: Where the network runs.
        engine: What runs it.
    """

    def __init__(self, checkpoint: Path, device: str = "auto", engine: str = "auto") -> None:
        """Loads a checkpoint.

        Args:
            checkpoint: The file.
            device: "cpu", "cuda", "cuda:1" and so on; "auto" uses a GPU if there is one.
            engine: What classifies faces: "torch", "onnx", or "auto", see `open_engine`.
                Explanations that need gradients or replace a part always use PyTorch.

        Raises:
            CheckpointError: It cannot be loaded.
            ConfigError: There is no such device or engine, or one can't run on the other.
        """
        self.device = find_device(device)
        self.info: CheckpointInfo
        self._model: FERVTGNN
        self._model, self.info = load_checkpoint(checkpoint)
        self._model.to(self.device)
        self.engine: Engine = open_engine(engine, self._model, self.info.preprocess, self.device)
        self.file_bytes = checkpoint.stat().st_size
        self.sha256 = file_sha256(checkpoint)
        self.name = name_checkpoint(checkpoint, self.sha256)

    @property
    def classes(self) -> Vocabulary:
        """The vocabulary of its predictions."""
        return self.info.config.classes

    @property
    def network(self) -> FERVTGNN:
        """The network itself, in eval mode: only for explaining and evaluating.

        For answers, call `classify`, which may run another engine and calibrates.
        """
        return self._model

    def count_parameters(self) -> int:
        """Number of trained parameters."""
        return count_parameters(self._model)

    def count_gmac(self) -> float:
        """Billions of multiply-accumulate operations for one face."""
        return count_gmac(self._model)

    def warm_up(self) -> None:
        """Runs one forward pass, so that the first real one is not the slow one."""
        self.classify(np.zeros((1, FACE_SIZE, FACE_SIZE), np.uint8))

    def find_faces(self, image_rgb: NDArray[np.uint8]) -> list[FoundFace]:
        """Faces in an image (h, w, 3) uint8 RGB, the largest first.

        Raises:
            ImageError: The array is not such an image.
        """
        return thread_detector().detect(check_image(image_rgb))

    def predict(
        self, image_rgb: NDArray[np.uint8], faces: Sequence[Box | FoundFace] | None = None
    ) -> list[Prediction]:
        """Classifies the faces of an image.

        Args:
            image_rgb: (h, w, 3) uint8 RGB.
            faces: Where they are: upright ones as boxes, others as they were found. None looks
                for them, the largest first.

        Returns:
            One prediction per face; empty if there is no face.

        Raises:
            ImageError: The array is not such an image, or a box is outside it.
        """
        check_image(image_rgb)
        if faces is None:
            faces = self.find_faces(image_rgb)
        if not faces:
            return []
        places = [
            (f.box_xyxy_px, f.angle_deg) if isinstance(f, FoundFace) else (f, 0.0) for f in faces
        ]
        crops = [crop_face(image_rgb, _check_box(box, image_rgb), tilt) for box, tilt in places]
        readings = self.classify(np.stack([to_face(crop) for crop in crops]), ["input"])
        found = []
        for place, crop, reading in zip(places, crops, readings, strict=True):
            assert reading.model_input is not None
            found.append(
                Prediction(
                    *place,
                    self.classes.classes,
                    reading.probabilities,
                    crop,
                    reading.model_input,
                    reading.latency_ms,
                )
            )
        return found

    def predict_whole(self, image_rgb: NDArray[np.uint8]) -> list[Prediction]:
        """Classifies the whole image as if it were one face."""
        return self.predict(image_rgb, [whole_image_box(check_image(image_rgb))])

    def classify(
        self, faces: NDArray[np.uint8], evidence: Collection[Evidence] = ()
    ) -> list[Reading]:
        """Classifies gray faces, as `to_face` makes them.

        Args:
            faces: (B, 48, 48) uint8; many go through the network in several passes.
            evidence: What else to return for each face: some of `EVIDENCE`.

        Returns:
            B readings, in order.

        Raises:
            ImageError: The array is not such a batch.
            ConfigError: There is no such evidence.
        """
        for name in evidence:
            if name not in EVIDENCE:
                raise ConfigError(f"There is no evidence '{name}'; known: {', '.join(EVIDENCE)}.")
        _check_faces(faces)
        readings: list[Reading] = []
        for start in range(0, len(faces), _BATCH):
            readings += self._read(faces[start : start + _BATCH], evidence)
        return readings

    def _read(self, faces: NDArray[np.uint8], evidence: Collection[Evidence]) -> list[Reading]:
        config, wanted = self.info.config, list[Output](["logits"])
        if "gwa" in evidence and config.use_gwa:
            wanted.append("gwa_weights")
        if "gat" in evidence and config.use_gnn:
            wanted.append("graph_attention")
        started = time.perf_counter()
        images = self.info.preprocess.to_input(faces)
        with threads_for(len(faces)):
            answers = dict(zip(wanted, self.engine.run(images, wanted), strict=True))
        probabilities = self._calibrate(answers["logits"])
        latency_ms = 1000 * (time.perf_counter() - started) / len(faces)
        gwa, gat = answers.get("gwa_weights"), answers.get("graph_attention")
        inputs = None
        if "input" in evidence:
            seen = self.info.preprocess.denormalize(images)
            inputs = np.rint(255 * seen).astype(np.uint8, order="C")
        return [
            Reading(
                probabilities[i],
                latency_ms,
                None if inputs is None else inputs[i],
                None if gwa is None else gwa[i],
                None if gat is None else gat[i],
                None if gat is None else _EDGES,
            )
            for i in range(len(faces))
        ]

    @one_thread()
    def classify_prepared(self, images: torch.Tensor) -> NDArray[np.float32]:
        """Classifies images (B, 3, S, S) as `prepare` makes them, in the calling thread.

        Returns:
            Calibrated probabilities (B, C).
        """
        parts = [
            self.engine.run(part.cpu().numpy(), ["logits"])[0] for part in images.split(_BATCH)
        ]
        return self._calibrate(np.concatenate(parts))

    def _run(
        self, faces: NDArray[np.uint8], intervention: Intervention | None = None
    ) -> tuple[FERVTOutput, torch.Tensor]:
        """Runs the network; returns its whole output and its input (B, 3, S, S), normalized."""
        with threads_for(len(faces)), torch.inference_mode():
            images = self.prepare(faces)
            return self._model(images, intervention), images

    def prepare(self, faces: NDArray[np.uint8]) -> torch.Tensor:
        """Gray faces (B, 48, 48) uint8 as the network's input (B, 3, S, S), on its device."""
        return to_device(self.info.preprocess.to_input(faces), self.device)

    def probabilities(self, output: FERVTOutput) -> NDArray[np.float32]:
        """Calibrated probabilities (B, C) of an output."""
        return self._calibrate(output.logits.detach().float().cpu().numpy())

    def _calibrate(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        return softmax(logits / np.float32(self.info.temperature), axis=1)


def as_json(prediction: Prediction) -> dict[str, Any]:
    """One face of an image as plain data, see `describe_face`."""
    place = prediction.box_xyxy_px, prediction.angle_deg
    return describe_face(*place, prediction.classes, prediction)


def describe_face(
    box_xyxy_px: Box, angle_deg: float, classes: Sequence[str], reading: Reading | Prediction
) -> dict[str, Any]:
    """One face as plain data, the same in every interface (command line, page, HTTP)."""
    probabilities = reading.probabilities
    return {
        "box_xyxy_px": list(box_xyxy_px),
        "angle_deg": angle_deg,
        "label": classes[int(probabilities.argmax())],
        "probabilities": {
            name: round(float(p), 6) for name, p in zip(classes, probabilities, strict=True)
        },
        "latency_ms": round(reading.latency_ms, 2),
    }


def to_face(crop_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A crop (h, w, 3) uint8 RGB in the data set's format: (48, 48) uint8 gray.

    A dark face is brightened, unless it has the format already: the data set's own faces stay as
    they were evaluated.
    """
    gray = np.asarray(cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    if gray.shape == (FACE_SIZE, FACE_SIZE):
        return gray
    shrinks = min(gray.shape) > FACE_SIZE
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    face = cv2.resize(gray, (FACE_SIZE, FACE_SIZE), interpolation=method)
    return brighten(np.asarray(face, np.uint8))


def cut_face(
    image_rgb: NDArray[np.uint8], box_xyxy_px: Box, angle_deg: float = 0.0
) -> NDArray[np.uint8]:
    """Cuts a face out of an image (h, w, 3) uint8 RGB: (48, 48) uint8 gray, for `classify`.

    Its position and tilt are as in `FoundFace`.

    Raises:
        ImageError: As `faces.crop_face`.
    """
    return to_face(crop_face(image_rgb, box_xyxy_px, angle_deg))


def _check_box(box: Box, image_rgb: NDArray[np.uint8]) -> Box:
    left, top, right, bottom = box
    height, width = image_rgb.shape[:2]
    overlaps = left < width and top < height and right > 0 and bottom > 0
    if not (left < right and top < bottom and overlaps):
        raise ImageError(f"The box {tuple(box)} is not inside an image of {width}x{height} pixels.")
    return box


def _check_faces(faces: NDArray[np.uint8]) -> None:
    right = isinstance(faces, np.ndarray) and faces.dtype == np.uint8 and faces.ndim == 3
    if not right or faces.shape[1:] != (FACE_SIZE, FACE_SIZE):
        raise ImageError(f"Faces must be a uint8 array of shape (count, {FACE_SIZE}, {FACE_SIZE}).")
