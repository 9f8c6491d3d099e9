"""Measures the live view without a browser: speed, latency, memory, threads, two viewers.

python -m scripts.soak --quick      # a minute: frame rate, latency, Start / Stop cycles
python -m scripts.soak              # plus a ten-minute stream, to measure memory
"""

import argparse
import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import cv2
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, VideoStreamTrack
from streamlit_webrtc.models import CallbackAttachableProcessor
from streamlit_webrtc.process import AsyncVideoProcessTrack

from fervt.checkpoint import find_checkpoint
from fervt.examples import load_example
from fervt.live import LiveSettings, LiveWorker, Overlay
from fervt.live.camera import CameraReader
from fervt.predict import Predictor

WIDTH, HEIGHT = 640, 480
FLOORS = {"none": 25.0, "graph": 15.0}  # frames per second on two idle cores
MAX_P95_MS = 80.0
MAX_GROWTH_MB = 50.0


def moving_astronaut(count: int = 80, swing: int = 90) -> list[np.ndarray]:
    """Frames (480, 640, 3) uint8 RGB in which the head moves to the right and back."""
    scene = np.ascontiguousarray(load_example("astronaut")[:384])
    scene = cv2.copyMakeBorder(scene, 0, 0, 120, 120, cv2.BORDER_REPLICATE)
    lefts = np.rint(120 + swing * np.sin(2 * np.pi * np.arange(count) / count)).astype(int)
    views = (np.ascontiguousarray(scene[:, left : left + 512]) for left in lefts)
    return [cv2.resize(view, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for view in views]


class Camera(VideoStreamTrack):
    """Loops over frames in real time (30 per second)."""

    def __init__(self, frames: list[np.ndarray]) -> None:
        super().__init__()
        self._frames, self._sent = frames, 0

    async def recv(self) -> av.VideoFrame:
        """Waits for the next frame's time."""
        pts, time_base = await self.next_timestamp()
        image = self._frames[self._sent % len(self._frames)]
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        self._sent += 1
        return frame


def alone(predictor: Predictor, frames: list[np.ndarray], overlay: Overlay, count: int) -> dict:
    """The worker alone, as fast as it can go."""
    worker = LiveWorker(predictor, LiveSettings(overlay))
    for frame in frames[:20]:  # the first frames choose how often to search
        worker.process(frame)
    latencies = []
    began_s = time.perf_counter()
    for index in range(count):
        latencies.append(worker.process(frames[(20 + index) % len(frames)])[1].latency_ms)
    fps = count / (time.perf_counter() - began_s)
    p95_ms = float(np.percentile(latencies, 95))
    return {
        "frames_per_s": round(fps, 1),
        "floor": FLOORS[overlay],
        "latency_median_ms": round(float(np.median(latencies)), 1),
        "latency_p95_ms": round(p95_ms, 1),
        "latency_p95_limit_ms": MAX_P95_MS,
        "searched_every": worker.search_every,
        "holds": fps >= FLOORS[overlay] and p95_ms < MAX_P95_MS,
    }


@asynccontextmanager
async def call(worker: LiveWorker, frames: list[np.ndarray]) -> AsyncIterator[MediaStreamTrack]:
    """A WebRTC call on this machine; yields the track that comes back to the sender."""
    sender, receiver = (RTCPeerConnection(RTCConfiguration([])) for _ in range(2))
    reader = CameraReader(worker)
    processor = CallbackAttachableProcessor(None, reader.read, reader.close)
    answered: asyncio.Future = asyncio.get_running_loop().create_future()
    receiver.on("track", lambda t: receiver.addTrack(AsyncVideoProcessTrack(t, processor)))
    sender.on("track", answered.set_result)
    sender.addTrack(Camera(frames))
    try:
        await sender.setLocalDescription(await sender.createOffer())
        await receiver.setRemoteDescription(sender.localDescription)
        await receiver.setLocalDescription(await receiver.createAnswer())
        await sender.setRemoteDescription(receiver.localDescription)
        yield await answered
    finally:
        await sender.close()
        await receiver.close()


async def stream(worker: LiveWorker, frames: list[np.ndarray], seconds: float) -> None:
    """Start, frames for this many seconds, Stop."""
    async with call(worker, frames) as track:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            await track.recv()


def cycles(predictor: Predictor, frames: list[np.ndarray], count: int) -> dict:
    """Starts and stops repeatedly; returns which threads remain."""
    read = []

    def cycle() -> None:
        worker = LiveWorker(predictor)
        asyncio.run(stream(worker, frames, 3))
        read.append(worker.stats().frames)

    cycle()  # libraries start their permanent threads here
    before = live_threads()
    for _ in range(count):
        cycle()
    time.sleep(1)
    left = sorted(live_threads() - before)
    return {"frames_read": read, "threads_left": left, "holds": min(read) > 0 and not left}


def live_threads() -> set[str]:
    return {f"{thread.name} {thread.ident}" for thread in threading.enumerate()}


def two_viewers(predictor: Predictor, frames: list[np.ndarray]) -> dict:
    """Two viewers at once: one sends a face, the other an empty room."""
    empty = [np.full((HEIGHT, WIDTH, 3), 90, np.uint8)]
    workers = LiveWorker(predictor), LiveWorker(predictor)

    async def both() -> None:
        await asyncio.gather(stream(workers[0], frames, 5), stream(workers[1], empty, 5))

    asyncio.run(both())
    faces = [sum(len(r.faces) > 0 for r in worker.timeline.readings()) for worker in workers]
    return {
        "frames_read": [worker.stats().frames for worker in workers],
        "with_a_face": faces,
        "holds": faces[0] > 0 and faces[1] == 0,
    }


def memory(predictor: Predictor, frames: list[np.ndarray], minutes: float) -> dict:
    """One long stream; the process's memory after its first minute and at the end."""
    worker = LiveWorker(predictor, LiveSettings("graph"))
    points: list[float] = []

    async def run() -> None:
        task = asyncio.create_task(stream(worker, frames, 60 * minutes))
        while not task.done():
            await asyncio.wait([task], timeout=30)
            points.append(resident_mb())
        await task

    asyncio.run(run())
    settled = points[min(1, len(points) - 1)]
    growth = max(points) - settled
    return {
        "minutes": minutes,
        "frames_read": worker.stats().frames,
        "resident_mb": [round(point) for point in points],
        "growth_mb": round(growth, 1),
        "holds": growth < MAX_GROWTH_MB,
    }


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="without the long stream")
    parser.add_argument("--minutes", type=float, default=10, help="length of the long stream")
    parser.add_argument("--frames", type=int, default=300, help="for the worker alone")
    parser.add_argument("--checkpoint", help="name or file; the flagship by default")
    args = parser.parse_args()
    predictor = Predictor(find_checkpoint(args.checkpoint))
    predictor.warm_up()
    frames = moving_astronaut()
    figures = {
        "machine": {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 1)},
        "worker, no overlay": alone(predictor, frames, "none", args.frames),
        "worker, graph overlay": alone(predictor, frames, "graph", args.frames),
        "five Start / Stop cycles": cycles(predictor, frames, 5),
        "two viewers": two_viewers(predictor, frames),
    }
    if not args.quick:
        figures["long stream"] = memory(predictor, frames, args.minutes)
    for name, figure in figures.items():
        print(name, json.dumps(figure))


if __name__ == "__main__":
    main()
