"""What each face detector finds in a folder of photos, at several tilts and in the dark.

Every detector sees the same rotated and darkened photos. A face counts as found if the center of a
reported face lies on it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.data.folders import list_images
from fervt.errors import DataError, ImageError
from fervt.faces import SEARCH_SIDE_PX, FaceDetector
from fervt.faces.crop import tilt_matrix
from fervt.faces.detect import choose_search
from fervt.faces.found import Search
from fervt.faces.haar import HaarSearch
from fervt.images import read_image
from fervt.live import LiveSettings, LiveWorker
from fervt.predict import Predictor
from fervt.progress import Progress, no_progress, track

ANGLES_DEG = (0, 10, 20, 30, 45)
LIGHT = 0.12
_SIDES_PX = (SEARCH_SIDE_PX, 320)
_ON_FACE = 0.35  # of a face's width: how far a reported center may be off
_LARGEST_PX = 1280  # photos are scaled down to this, so that a folder fits into memory
_LIVE_FRAMES, _LIVE_SIZE = 60, (640, 480)
_TURNS = 3  # rounds over the detectors, for the frames per second


@dataclass(frozen=True)
class DetectorReach:
    """What one detector finds.

    Attributes:
        name: The detector, and whether it tries again.
        found: Number of photos in which the face was found, by change: "0°", ..., "x0.12".
        search_ms: Median time of a search on one thread, by `side_px`.
        live_fps: Frames per second of the live worker at 640 x 480, one face, in each round.
    """

    name: str
    found: dict[str, int]
    search_ms: dict[int, float]
    live_fps: tuple[float, ...]


def bench_faces(
    folder: Path, predictor: Predictor, report: Progress = no_progress
) -> tuple[int, list[DetectorReach]]:
    """Measures detectors on those photos of a folder in which the default one finds one face.

    Args:
        folder: Of photos.
        predictor: Classifies the faces in the live measurement.
        report: Called with the progress.

    Returns:
        How many photos were used, and what each detector finds in them.

    Raises:
        DataError: There is no such photo.
    """
    photos = _read_photos(folder)
    if not photos:
        raise DataError(f"'{folder}' contains no photo with exactly one face.")
    cascade, best = HaarSearch(), choose_search()
    searches: dict[str, Search] = {f"{cascade.name}, one try": cascade, cascade.name: cascade}
    searches[best.name] = best
    detectors = {
        name: FaceDetector(persistent="one try" not in name, search=search)
        for name, search in searches.items()
    }
    found: dict[str, dict[str, int]] = {name: {} for name in detectors}
    for image, face in track(photos, len(photos), report, "Looking for faces"):
        for what, changed, center in _change(image, face):
            for name, detector in detectors.items():
                boxes = [seen.box_xyxy_px for seen in detector.detect(changed)]
                hit = any(_is_on(box, center, face[2]) for box in boxes)
                found[name][what] = found[name].get(what, 0) + hit
    speeds = {name: _time_searches(search, photos) for name, search in searches.items()}
    fps: dict[str, list[float]] = {name: [] for name in detectors}
    for _ in range(_TURNS):
        for name, search in searches.items():
            fps[name].append(_time_live(predictor, search, photos[0]))
    return len(photos), [
        DetectorReach(name, found[name], speeds[name], tuple(fps[name])) for name in searches
    ]


Photo = tuple[NDArray[np.uint8], tuple[float, float, float]]
"""A photo (h, w, 3) uint8 RGB and its face: the center's x and y, and the side, in pixels."""


def _read_photos(folder: Path) -> list[Photo]:
    photos = []
    detector = FaceDetector()
    for path in list_images(folder)[0]:
        try:
            image = read_image(path)
        except ImageError:
            continue
        scale = min(1.0, _LARGEST_PX / max(image.shape))
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        faces = detector.detect(image)
        if len(faces) == 1:
            left, top, right, bottom = faces[0].box_xyxy_px
            photos.append((image, ((left + right) / 2, (top + bottom) / 2, float(right - left))))
    return photos


def _change(
    image: NDArray[np.uint8], face: tuple[float, float, float]
) -> Sequence[tuple[str, NDArray[np.uint8], NDArray[np.float64]]]:
    """The photo rotated clockwise about its center, and darkened; each with its face's center."""
    height, width = image.shape[:2]
    side = int(np.ceil(np.hypot(height, width)))
    middle = np.array([width, height]) / 2
    center = np.array(face[:2])
    changed = [(f"x{LIGHT}", (image * LIGHT).astype(np.uint8), center)]
    for angle in ANGLES_DEG:
        turn = tilt_matrix(angle)
        move = np.column_stack([turn, side / 2 - turn @ middle])
        turned = np.asarray(cv2.warpAffine(image, move, (side, side)), np.uint8)
        changed.append((f"{angle}°", turned, turn @ (center - middle) + side / 2))
    return [*changed[1:], changed[0]]


def _is_on(box: tuple[int, ...], center: NDArray[np.float64], side: float) -> bool:
    middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    return bool(np.hypot(*(middle - center)) < _ON_FACE * side)


def _time_searches(search: Search, photos: Sequence[Photo]) -> dict[int, float]:
    before, times = cv2.getNumThreads(), {}
    cv2.setNumThreads(1)
    try:
        for side in _SIDES_PX:
            own = FaceDetector(side, persistent=False, search=search)
            spent = []
            for image, _ in photos:
                began = time.perf_counter()
                own.detect(image)
                spent.append(1000 * (time.perf_counter() - began))
            times[side] = median(spent)
    finally:
        cv2.setNumThreads(before)
    return times


def _time_live(predictor: Predictor, search: Search, photo: Photo) -> float:
    worker = LiveWorker(predictor, LiveSettings(), search=search)
    image = np.asarray(cv2.resize(photo[0], _LIVE_SIZE, interpolation=cv2.INTER_AREA), np.uint8)
    frames = [np.roll(image, shift % 20, axis=1) for shift in range(_LIVE_FRAMES)]
    for frame in frames[:5]:
        worker.process(frame)
    began = time.perf_counter()
    for frame in frames:
        worker.process(frame)
    return len(frames) / (time.perf_counter() - began)
