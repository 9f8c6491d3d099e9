"""The recorder on frames drawn here: a film that plays, bounded, and never an exception."""

from io import BytesIO

import av
import numpy as np
import pytest

from fervt.live.recorder import Recorder

HEIGHT, WIDTH = 94, 128


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def frame(index: int) -> np.ndarray:
    """Gray, with a bright bar that moves."""
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    image[:, 10 * index : 10 * index + 8] = 250
    return image


def play(recorder: Recorder, clock: Clock, count: int, step_s: float = 0.25) -> None:
    for index in range(count):
        recorder.add(frame(index))
        clock.now += step_s


def frames_of(film: bytes) -> list[tuple[float, np.ndarray]]:
    with av.open(BytesIO(film)) as copy:
        assert copy.streams.video[0].codec_context.name == "h264"
        assert copy.streams.video[0].pix_fmt == "yuv420p"
        return [(f.time, f.to_ndarray(format="rgb24")) for f in copy.decode(video=0)]


def test_frames_between_start_and_stop_become_a_film_at_their_pace(clock):
    recorder = Recorder(clock=clock)
    recorder.add(frame(0))  # off until it is pressed
    assert not recorder.state.running and recorder.film is None
    recorder.start()
    play(recorder, clock, 6)
    state = recorder.state
    assert (state.running, state.frames, state.seconds) == (True, 6, 1.25)
    assert recorder.film is None
    recorder.stop()
    play(recorder, clock, 3)
    shown = frames_of(recorder.film)
    assert [time_s for time_s, _ in shown] == pytest.approx([0.25 * i for i in range(6)], abs=1e-3)
    for index, (_, image) in enumerate(shown):
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert image[:, 10 * index + 4].mean() > 200 > 100 > image[:, 120].mean()
    assert recorder.state.size_bytes == len(recorder.film)


def test_it_ends_by_itself_after_its_time(clock):
    recorder = Recorder(max_s=1.0, clock=clock)
    recorder.start()
    play(recorder, clock, 8)
    state = recorder.state
    assert (state.running, state.frames) == (False, 5)
    assert "after 1 seconds" in state.ended
    assert len(frames_of(recorder.film)) == 5


def test_it_ends_by_itself_at_its_size(clock):
    random = np.random.default_rng(0)
    recorder = Recorder(max_bytes=60_000, clock=clock)
    recorder.start()
    for _ in range(90):
        recorder.add(random.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8))
        clock.now += 0.04
    assert not recorder.state.running and "MB" in recorder.state.ended
    assert 10 < recorder.state.frames < 90
    assert len(frames_of(recorder.film)) == recorder.state.frames


def test_a_bad_frame_ends_it_and_does_not_raise(clock):
    recorder = Recorder(clock=clock)
    recorder.start()
    play(recorder, clock, 3)
    recorder.add(np.zeros((4,), np.float32))
    assert not recorder.state.running and "could not be recorded" in recorder.state.ended
    assert len(frames_of(recorder.film)) == 3
    recorder.start()
    recorder.add("no frame at all")
    assert recorder.film is None and not recorder.state.running


def test_forgetting_drops_the_film_and_starting_replaces_it(clock):
    recorder = Recorder(clock=clock)
    recorder.start()
    play(recorder, clock, 4)
    recorder.stop()
    first = recorder.film
    recorder.start()
    assert recorder.film is None
    play(recorder, clock, 2)
    recorder.stop()
    assert len(frames_of(first)) == 4 and len(frames_of(recorder.film)) == 2
    recorder.start()
    play(recorder, clock, 2)
    recorder.forget()  # also while it runs
    play(recorder, clock, 2)
    assert recorder.film is None and recorder.state.frames == 0 and not recorder.state.running
    recorder.start()
    recorder.stop()
    assert recorder.film is None  # there was no frame


def test_a_stream_that_changes_its_size_keeps_the_films(clock):
    recorder = Recorder(clock=clock)
    recorder.start()
    for height, width in ((HEIGHT, WIDTH), (61, 77), (HEIGHT, WIDTH)):
        recorder.add(np.full((height, width, 3), 90, np.uint8))
        clock.now += 0.1
    recorder.stop()
    assert [image.shape for _, image in frames_of(recorder.film)] == [(HEIGHT, WIDTH, 3)] * 3
