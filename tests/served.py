"""The real service: gunicorn on loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from fervt.examples import load_example

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 120


def face_image(width: int = 320, height: int = 240) -> np.ndarray:
    """The astronaut, whose face lies right of the middle of the left half."""
    crop = np.ascontiguousarray(load_example("astronaut")[:384])
    return cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)


def jpeg(image_rgb: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image_rgb[:, :, ::-1])[1].tobytes()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    def __init__(self, process: subprocess.Popen, port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.url = f"http://127.0.0.1:{port}"

    def worker_pids(self) -> list[int]:
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in Path(path).read_text().split()]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)


@contextmanager
def serving(checkpoint: Path, *options: str, env: dict[str, str] | None = None):
    port, log = free_port(), checkpoint.parent / f"log-{time.monotonic_ns()}.txt"
    command = [sys.executable, "-m", "fervt", "serve", "--port", str(port)]
    command += ["--checkpoint", str(checkpoint), *options]
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log)
        yield Served(process, port, log)
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    """Asks a process to end, and ends it after 30 s."""
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_ready(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"it did not start:\n{log.read_text()}")
