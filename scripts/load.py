"""Measures the service under load, with its own server on 127.0.0.1.

    python -m scripts.load                 # everything: about six minutes on an idle machine
    python -m scripts.load sustained --seconds 10
    python -m scripts.load --json load.json

Requests are sent at fixed times whether or not earlier ones were answered, as from many independent
clients, and latency counts from when a request was due. Every part is bounded in count and time.
"""

import argparse
import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fervt.examples import load_example
from scripts.nginx import Nginx

HOST = "127.0.0.1"
TIMEOUT_S = 20
START_TIMEOUT_S = 300
SENDERS = 96
FLOOD_PER_S = 300
CROPPED = "/v1/predict?detect=false"


@dataclass
class Tally:
    """Results: latencies in seconds by status; status 0 is a broken connection."""

    latencies: dict[int, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, status: int, seconds: float) -> None:
        """Counts one answer."""
        with self.lock:
            self.latencies.setdefault(status, []).append(seconds)

    def summary(self) -> dict[str, Any]:
        """Counts and percentiles by status."""
        out: dict[str, Any] = {}
        for status, seconds in sorted(self.latencies.items()):
            p50, p99 = np.percentile(seconds, [50, 99]) * 1000
            out[str(status or "broken")] = {
                "count": len(seconds),
                "p50_ms": round(p50),
                "p99_ms": round(p99),
                "max_ms": round(max(seconds) * 1000),
            }
        return out


class Service:
    """A server started by this script."""

    def __init__(self, *options: str, workers: int = 2) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-W", "ignore", "-m", "fervt", "serve", "--max-rate", "0"]
        command += ["--host", HOST, "--port", str(self.port), "--workers", str(workers), *options]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def wait(self) -> None:
        """Returns once it is ready."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://{HOST}:{self.port}/readyz", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("The service did not start.")

    def stop(self) -> None:
        """Stops it and waits."""
        self.process.terminate()
        self.process.wait(timeout=60)

    def workers(self) -> list[int]:
        """Process ids of its workers."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path) as file:
            return [int(pid) for pid in file.read().split()]

    def cpu_s(self) -> float:
        """CPU time of the workers so far."""
        ticks = 0
        for pid in self.workers():
            with open(f"/proc/{pid}/stat") as file:
                ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """The workers' own memory: shared memory is not counted twice."""
        total = 0
        for pid in self.workers():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(s.split()[1]) for s in file if s.startswith("Private_"))
        return total / 1024


@contextmanager
def serving(*options: str, workers: int = 2) -> Iterator[Service]:
    service = Service(*options, workers=workers)
    try:
        service.wait()
        yield service
    finally:
        service.stop()


def face_jpeg(width: int, height: int) -> bytes:
    """A frame with one face, as a webcam would send it."""
    face = cv2.resize(
        np.ascontiguousarray(load_example("astronaut")[:384]),
        (width, height),
        interpolation=cv2.INTER_AREA,
    )
    return cv2.imencode(".jpg", face[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


class Sender:
    """A persistent connection, reopened when it breaks.

    The server closes connections that were idle for 5 s; one that was idle for nearly as long
    is not reused.
    """

    MAX_IDLE_S = 3

    def __init__(self, service: "Service | Nginx") -> None:
        self._service = service
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0

    def send(self, body: bytes, path: str = "/v1/predict") -> int:
        """Posts a body; returns the status, or 0 if the connection broke."""
        if time.monotonic() - self._used > self.MAX_IDLE_S:
            self.close()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    HOST, self._service.port, timeout=TIMEOUT_S
                )
            self._connection.request("POST", path, body, {"Content-Type": "image/jpeg"})
            answer = self._connection.getresponse()
            answer.read()
            self._used = time.monotonic()
            if answer.will_close:
                self.close()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.close()
            return 0

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def at_rate(
    service: Service, per_s: float, seconds: float, body: bytes, path: str = "/v1/predict"
) -> Tally:
    """Sends at fixed times for a while; the sender that finished most recently goes first."""
    tally, due = Tally(), queue.Queue[float | None]()
    idle = queue.LifoQueue[Sender]()
    for _ in range(SENDERS):
        idle.put(Sender(service))

    def work() -> None:
        while (moment := due.get()) is not None:
            sender = idle.get()
            tally.add(sender.send(body, path), time.perf_counter() - moment)
            idle.put(sender)

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    start = time.perf_counter()
    for i in range(round(per_s * seconds)):
        moment = start + i / per_s
        time.sleep(max(0.0, moment - time.perf_counter()))
        due.put(moment)
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    while not idle.empty():
        idle.get().close()
    return tally


def one_after_another(
    service: "Service | Nginx", requests: list[tuple[str, bytes]], count: int, senders: int
) -> tuple[Tally, float]:
    """Keeps several connections busy until `count` requests are answered; returns the seconds."""
    tally, numbers = Tally(), iter(range(count))

    def work() -> None:
        sender = Sender(service)
        for number in numbers:
            started = time.perf_counter()
            path, body = requests[number % len(requests)]
            status = sender.send(body, path)
            tally.add(status, time.perf_counter() - started)
        sender.close()

    numbers = _shared(numbers)
    threads = [threading.Thread(target=work) for _ in range(senders)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally, time.perf_counter() - started


def _shared(numbers: Iterator[int]) -> Iterator[int]:
    lock = threading.Lock()

    class Shared:
        def __iter__(self) -> "Shared":
            return self

        def __next__(self) -> int:
            with lock:
                return next(numbers)

    return iter(Shared())


def sustained(seconds: int) -> dict[str, Any]:
    """15 requests per second of 320 x 240 pixels with one face."""
    with serving() as service:
        at_rate(service, 15, 3, face_jpeg(320, 240))  # warms up connections and caches
        before = service.cpu_s()
        result = at_rate(service, 15, seconds, face_jpeg(320, 240)).summary()
        spent_ms = 1000 * (service.cpu_s() - before)
    answered = result.get("200", {"count": 0})["count"]
    cpu = {"cpu_ms_per_answer": round(spent_ms / max(1, answered), 1)}
    return {"rate": 15, "seconds": seconds} | cpu | result


def capacity(seconds: int) -> dict[str, Any]:
    """The highest rate at which every request is answered, 99% of them within half a second."""
    result: dict[str, Any] = {}
    for name, path, body in (
        ("photos of 320 x 240", "/v1/predict", face_jpeg(320, 240)),
        ("cropped faces", CROPPED, face_jpeg(64, 64)),
    ):
        held: dict[str, Any] = {}
        with serving() as service:
            at_rate(service, 10, 3, body, path)
            rate = 30.0
            while (found := _hold(service, rate, seconds, body, path)) is not None:
                held = {"per_s": round(rate)} | found
                rate *= 1.1
        result[name] = held
    return {"seconds": seconds} | result


def _hold(
    service: Service, rate: float, seconds: int, body: bytes, path: str
) -> dict[str, Any] | None:
    """The figures at a rate; None if it cannot be sustained in any of three tries.

    A shared machine stalls now and then, which says nothing about the service.
    """
    for _ in range(3):
        before = service.cpu_s()
        found = at_rate(service, rate, seconds, body, path).summary()
        if found.keys() == {"200"} and found["200"]["p99_ms"] < 500:
            spent_ms = 1000 * (service.cpu_s() - before)
            return found["200"] | {"cpu_ms": round(spent_ms / found["200"]["count"], 1)}
    return None


def overload(seconds: int) -> dict[str, Any]:
    """More than two cores can answer, and whether the service recovers at once."""
    body = face_jpeg(320, 240)
    with serving() as service:
        at_rate(service, 15, 3, body)
        flood = at_rate(service, FLOOD_PER_S, seconds, body).summary()
        after = at_rate(service, 15, 10, body).summary()
    return {"rate": FLOOD_PER_S, "seconds": seconds, "flood": flood, "after": after}


def memory(count: int) -> dict[str, Any]:
    """The workers' own memory over many requests: crops of ten sizes, every tenth a whole frame."""
    requests = [(CROPPED, face_jpeg(40 + 8 * n, 48 + 4 * n)) for n in range(9)]
    requests.append(("/v1/predict?explain=gwa,gat", face_jpeg(160, 120)))
    points = {}
    with serving() as service:
        done = 0
        for step in [count // 20, *[count // 10] * 9, count // 20]:
            tally, _ = one_after_another(service, requests, step, senders=4)
            done += step
            points[done] = round(service.memory_mb(), 1)
            print(done, points[done], file=sys.stderr, flush=True)
            if set(tally.latencies) != {200}:
                raise SystemExit(f"Not all were answered: {tally.summary()}")
    return {"requests": done, "workers_mb_after": points}


def kill(seconds: int) -> dict[str, Any]:
    """Kills one of two workers (`kill -9`) under the sustained load."""
    with serving() as service:
        at_rate(service, 15, 3, face_jpeg(320, 240))
        victim = service.workers()[0]
        timer = threading.Timer(seconds / 3, os.kill, (victim, signal.SIGKILL))
        timer.start()
        result = at_rate(service, 15, seconds, face_jpeg(320, 240)).summary()
        timer.join()
        replaced = victim not in service.workers() and len(service.workers()) == 2
    return {"rate": 15, "seconds": seconds, "replaced": replaced} | result


def batching(count: int) -> dict[str, Any]:
    """Eight callers that send cropped faces to one worker, with and without batching."""
    result = {}
    for name, limit in (("alone", 1), ("batched", 16), ("alone again", 1), ("batched again", 16)):
        with serving("--max-batch", str(limit), "--max-in-flight", "8", workers=1) as service:
            requests = [(CROPPED, face_jpeg(64, 64))]
            one_after_another(service, requests, 64, senders=8)
            before = service.cpu_s()
            tally, seconds = one_after_another(service, requests, count, senders=8)
            spent_ms = 1000 * (service.cpu_s() - before)
            figures = {"per_s": round(count / seconds, 1), "cpu_ms": round(spent_ms / count, 1)}
            result[name] = figures | tally.summary()
    return result


def replicas(count: int) -> dict[str, Any]:
    """1, 2 and 4 replicas of one worker each behind nginx, kept busy with small frames."""
    if shutil.which("nginx") is None:
        return {"skipped": "there is no nginx"}
    result: dict[str, Any] = {}
    requests = [("/v1/predict", face_jpeg(320, 240))]
    for number in (1, 2, 4):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            started = [Service("--max-in-flight", "16", workers=1) for _ in range(number)]
            for service in started:
                stack.callback(service.stop)
            for service in started:
                service.wait()
            front = Nginx([service.port for service in started], folder)
            stack.callback(front.stop)
            one_after_another(front, requests, 20 * number, senders=8)
            before = sum(service.cpu_s() for service in started)
            tally, seconds = one_after_another(front, requests, count, senders=8)
            spent_ms = 1000 * (sum(service.cpu_s() for service in started) - before)
            memory_mb = sum(service.memory_mb() for service in started)
        result[str(number)] = {
            "per_s": round(count / seconds, 1),
            "cpu_ms": round(spent_ms / count, 1),
            "mb": round(memory_mb),
        } | tally.summary()
    return result


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "sustained": sustained,
    "capacity": capacity,
    "overload": overload,
    "kill": kill,
    "batching": batching,
    "replicas": replicas,
    "memory": memory,
}
SIZES = {
    "sustained": 60,
    "capacity": 5,
    "overload": 20,
    "kill": 15,
    "batching": 600,
    "replicas": 400,
    "memory": 20_000,
}
TIMED = {"sustained", "capacity", "overload", "kill"}  # the others run for a number of requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"default: {' '.join(PARTS)}")
    parser.add_argument("--seconds", type=int, help="duration of the timed parts")
    parser.add_argument("--count", type=int, help="requests in the other parts")
    parser.add_argument("--json", metavar="FILE", help="where to write the figures")
    args = parser.parse_args()
    if unknown := set(args.parts) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    figures: dict[str, Any] = {"cores": os.cpu_count()}
    for name in args.parts or PARTS:
        given = args.seconds if name in TIMED else args.count
        before = os.getloadavg()[0]
        figures[name] = PARTS[name](given or SIZES[name])
        figures[name]["load_average_before_after"] = [
            round(before, 1),
            round(os.getloadavg()[0], 1),
        ]
        print(name, json.dumps(figures[name], indent=1), flush=True)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
