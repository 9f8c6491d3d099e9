"""Frames through a real WebRTC connection inside this process, without a browser."""

import asyncio
import gc
import itertools
import sys
import threading
import time
from io import BytesIO

import av
import numpy as np
import pytest
from film import astronaut_frames

from fervt.live import LiveSettings, LiveWorker
from fervt.live.camera import CameraReader
from fervt.live.recorder import Recorder
from scripts.soak import call


async def frames_back(worker: LiveWorker, enough) -> list[np.ndarray]:
    """What comes back to the sender, until it is enough."""
    shown: list[np.ndarray] = []
    async with call(worker, list(astronaut_frames(320, 240, 8))) as track:
        while not enough(shown):
            shown.append((await track.recv()).to_ndarray(format="rgb24"))
    return shown


class Slow:
    """A worker whose first frame takes long."""

    def __init__(self) -> None:
        self.go_on, self.dropped = threading.Event(), []
        self.forgotten = 0

    def process(self, image, dropped):
        self.go_on.wait(20)
        self.dropped.append(dropped)
        return 255 - image, None

    def forget_frame(self):
        self.forgotten += 1


def picture(value: int) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((4, 6, 3), value, np.uint8), format="rgb24")


def test_a_slow_frame_does_not_hold_up_the_stream_and_is_not_lost():
    worker = Slow()
    reader = CameraReader(worker, patience_s=0.05)

    def answer(*values: int) -> int:
        (frame,) = asyncio.run(reader.read([picture(value) for value in values]))
        return int(frame.to_ndarray(format="rgb24")[0, 0, 0])

    assert [answer(1, 2), answer(3), answer(4, 5)] == [2, 3, 5]  # as they came
    worker.go_on.set()
    reader._patience_s = 20
    assert answer(6) == 253  # the first that was taken
    assert answer(7) == 248
    assert worker.dropped == [1, 4]
    assert not worker.forgotten
    reader.close()
    assert worker.forgotten
    assert answer(9) == 9  # the track may still ask while it stops


def test_a_thread_busy_in_python_does_not_hold_the_model_up(predictor):
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        CameraReader(LiveWorker(predictor)).close()
        assert sys.getswitchinterval() < 0.001
        sys.setswitchinterval(0.0001)
        CameraReader(LiveWorker(predictor)).close()
        assert sys.getswitchinterval() < 0.00015  # whoever wants less has a reason
    finally:
        sys.setswitchinterval(before)


class Undecodable:
    """A frame whose pixels cannot be had."""


def test_a_frame_that_fails_outside_of_the_worker_is_counted_and_goes_on(predictor, monkeypatch):
    worker = LiveWorker(predictor)
    reader = CameraReader(worker, patience_s=20)
    bad, good = Undecodable(), picture(90)
    assert asyncio.run(reader.read([good, bad])) == [bad]
    stats = worker.stats()
    assert (stats.frames, stats.failed, stats.dropped) == (1, 1, 1)
    assert stats.problem == "A frame could not be decoded (TypeError)."
    assert stats.latency_median_ms == 0  # it had none
    assert asyncio.run(reader.read([good])) != [good]  # the next is annotated

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(av.VideoFrame, "from_ndarray", fail, raising=False)
    assert asyncio.run(reader.read([good])) == [good]
    stats = worker.stats()
    assert (stats.frames, stats.failed) == (3, 2)
    assert stats.problem == "A frame could not be sent back (MemoryError)."
    monkeypatch.setattr(worker, "process", fail)
    assert asyncio.run(reader.read([good])) == [good]
    assert worker.stats().failed == 3
    reader.close()
    assert asyncio.run(reader.read([good])) == [good]
    assert worker.stats().failed == 3  # a frame that came after the end is no failure


def test_what_is_recorded_is_what_the_viewer_sees(predictor):
    worker = LiveWorker(predictor)
    # 25 frames a second, however slow the machine: x264 spends its bits by how long a frame stays.
    recorder = Recorder(clock=itertools.count(0, 0.04).__next__)
    reader = CameraReader(worker, patience_s=20, recorder=recorder)
    frames = list(astronaut_frames(320, 240, 4))

    def play() -> list[np.ndarray]:
        given = [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames]
        shown = [asyncio.run(reader.read([frame]))[0] for frame in given]
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in shown]

    play()
    assert recorder.film is None  # off until it is started
    recorder.start()
    shown = play()
    reader.close()  # ends the recording, too
    with av.open(BytesIO(recorder.film)) as film:
        kept = [f.to_ndarray(format="rgb24").astype(int) for f in film.decode(video=0)]
    assert len(kept) == 4
    for one, other, plain in zip(kept, shown, frames, strict=True):
        assert np.abs(one - other).mean() < 6
        assert np.abs(one - other).mean() < np.abs(one - plain.astype(int)).mean()


def threads() -> set[str]:
    ours = ("async_media_processor", "live-reader", "remote-video-decoder")
    return {t.name for t in threading.enumerate() if t.name.startswith(ours)}


# streamlit-webrtc's thread leaves its own event loop to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_frames_come_back_annotated_and_stopping_leaves_no_thread(predictor):
    worker = LiveWorker(predictor, LiveSettings(bars=False))
    before = threads()

    def enough(shown: list[np.ndarray]) -> bool:
        return len(shown) >= 12 and worker.stats().frames >= 4

    shown = asyncio.run(asyncio.wait_for(frames_back(worker, enough), timeout=90))
    assert worker.stats().failed == 0
    assert [face.number for face in worker.timeline.readings()[-1].faces] == [1]
    assert worker.latest is None  # the last frame went with the stream
    plain = next(astronaut_frames(320, 240, 1))
    blue = np.array([0x65, 0x68, 0xDC])  # the first person's box
    near = [int((np.abs(image.astype(int) - blue).max(axis=-1) < 40).sum()) for image in shown]
    assert near[-1] > 5 * (np.abs(plain.astype(int) - blue).max(axis=-1) < 40).sum() + 100
    deadline = time.monotonic() + 10
    while threads() != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threads() == before
    gc.collect()
