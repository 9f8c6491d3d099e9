"""What people wait for (evidence, detection, live frames, a page), against bare libraries."""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from fervt.bench.network import BARE, as_engine, bare_network
from fervt.bench.turns import Line, Task, in_turns
from fervt.errors import ConfigError
from fervt.examples import load_example
from fervt.explain import explain_face
from fervt.faces import FaceDetector
from fervt.faces.detect import choose_search
from fervt.grid import GRID
from fervt.live import LiveSettings, LiveWorker
from fervt.predict import Predictor, cut_face, to_face
from fervt.threads import one_thread

_PHOTO_PX = (1024, 768)
_FRAME_PX = (640, 480)
_LIVE_FRAMES = 20
_SEARCH_PX = (427, 320)  # the size at which the live worker searches a frame
_PAGE = "fervt.ui.timing"  # a separate program: fervt.bench may not import the pages


def bench_doors(predictor: Predictor, turns: int) -> Iterator[Line]:
    """Yields rows for one face's evidence, detection, live frames, a page and a busy neighbor.

    Args:
        predictor: The checkpoint.
        turns: How many times each is timed.
    """
    yield _bench_evidence(predictor, turns)
    yield _bench_detection(turns)
    yield _bench_live(predictor, turns)
    if importlib.util.find_spec("streamlit") is not None:
        yield _bench_page(turns)
    yield from _bench_busy_neighbor(predictor, turns)


def _picture(size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(load_example("astronaut"), size), np.uint8)


def _face(predictor: Predictor) -> NDArray[np.uint8]:
    return to_face(predictor.predict(load_example("astronaut"))[0].crop)


def _bench_evidence(predictor: Predictor, turns: int) -> Line:
    """Against hand-written occlusion (one face per cell) and Grad-CAM on the bare network."""
    face = _face(predictor)
    bare = bare_network(predictor.info.config)
    engine = as_engine(bare, predictor)
    image = predictor.prepare(face[None]).cpu()
    side = image.shape[2] // GRID
    hidden = image.repeat(GRID * GRID, 1, 1, 1)
    for cell in range(GRID * GRID):
        row, column = divmod(cell, GRID)
        hidden[cell, :, row * side : (row + 1) * side, column * side : (column + 1) * side] = 0

    @one_thread()
    def explain_bare() -> None:
        softmax(engine.run(hidden.numpy(), ["logits"])[0], axis=1)
        features = bare.trunk(image)[-1]
        logits = bare.head(features.mean(dim=(2, 3)))
        torch.autograd.grad(logits[0].max(), features)

    return in_turns(
        "evidence for one face",
        lambda: explain_face(predictor, face),
        f"{BARE}, occlusion and Grad-CAM",
        explain_bare,
        turns,
    )


def _bench_detection(turns: int) -> Line:
    photo, search, detector = _picture(_PHOTO_PX), choose_search(), FaceDetector()
    return in_turns(
        "faces in a photo of {} x {}".format(*_PHOTO_PX),
        lambda: detector.detect(photo),
        search.name,
        lambda: search(photo),
        turns,
    )


def _bench_live(predictor: Predictor, turns: int) -> Line:
    """The live worker against the detector and the bare network on each frame."""
    worker = LiveWorker(predictor, LiveSettings())
    frames = [np.roll(_picture(_FRAME_PX), shift, axis=1) for shift in range(_LIVE_FRAMES)]
    search, engine = choose_search(), as_engine(bare_network(predictor.info.config), predictor)
    scale = _FRAME_PX[0] / _SEARCH_PX[0]

    @one_thread()
    def read_bare() -> None:
        for frame in frames:
            small = np.asarray(cv2.resize(frame, _SEARCH_PX), np.uint8)
            for seen in search(small):
                edges = (seen.x, seen.y, seen.x + seen.width, seen.y + seen.height)
                left, top, right, bottom = (round(scale * edge) for edge in edges)
                face = cut_face(frame, (left, top, right, bottom))
                images = predictor.info.preprocess.to_input(face[None])
                softmax(engine.run(images, ["logits"])[0], axis=1)

    def read_frames() -> None:
        for frame in frames:
            worker.process(frame)

    return in_turns(
        "{} live frames of {} x {}".format(_LIVE_FRAMES, *_FRAME_PX),
        read_frames,
        f"{search.name} and {BARE} on each",
        read_bare,
        turns,
    )


def _bench_page(turns: int) -> Line:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", _PAGE, str(turns)], capture_output=True, text=True
    )
    if done.returncode:
        raise ConfigError("The Predict page could not be timed: it failed with an error.")
    times = json.loads(done.stdout.splitlines()[-1])
    return Line.of("the Predict page", "bare Streamlit page", times["page"], times["bare"])


def _bench_busy_neighbor(predictor: Predictor, turns: int) -> Iterator[Line]:
    """With another program keeping one core busy, against the same without it."""
    picture = load_example("astronaut")
    face = _face(predictor)
    tasks: dict[str, Task] = {
        "predict next to a busy program": lambda: predictor.predict(picture),
        "explain next to a busy program": lambda: explain_face(predictor, face),
    }
    seconds: dict[tuple[str, bool], list[float]] = {
        (name, busy): [] for name in tasks for busy in (False, True)
    }
    for turn in range(turns + 1):
        for busy in (False, True):
            with _busy_neighbor() if busy else nullcontext():
                for name, task in tasks.items():
                    began = time.perf_counter()
                    task()
                    if turn:
                        seconds[name, busy].append(time.perf_counter() - began)
    for name in tasks:
        yield Line.of(name, "without it", seconds[name, True], seconds[name, False])


@contextmanager
def _busy_neighbor() -> Iterator[None]:
    """Another program that computes nonstop; it has started when this yields."""
    program = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as neighbor:
        assert neighbor.stdout is not None
        neighbor.stdout.readline()
        try:
            yield
        finally:
            neighbor.kill()
