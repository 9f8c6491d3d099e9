"""The worker on frames drawn here, without camera, page or browser."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fervt.errors import ImageError
from fervt.examples import load_example
from fervt.faces import FoundFace
from fervt.live import LiveSettings, LiveWorker

WIDTH, HEIGHT = 400, 240
FACE = np.ascontiguousarray(load_example("astronaut")[10:230, 110:330])  # head and background


def frame(*lefts: int, side: int = 150, top: int = 40) -> np.ndarray:
    """A head at each of these columns, on gray; what lies outside is cut off."""
    image = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    head = cv2.resize(FACE, (side, side), interpolation=cv2.INTER_AREA)
    for left in lefts:
        x0, x1 = max(left, 0), min(left + side, WIDTH)
        if x0 < x1:
            image[top : top + side, x0:x1] = head[:, x0 - left : x1 - left]
    return image


def read(worker: LiveWorker, frames: list[np.ndarray], start: int = 0, fps: float = 10):
    return [worker.process(f, time_s=(start + i) / fps)[1] for i, f in enumerate(frames)]


def told(worker: LiveWorker, script):
    """The worker's detector finds what `script(call)` gives."""
    calls = iter(range(10**6))
    worker._detector = SimpleNamespace(
        detect=lambda image: [FoundFace(box, 1.0) for box in script(next(calls))]
    )
    return worker


class OwnAnswers:
    """A predictor that knows what it will say: one row of probabilities a call."""

    def __init__(self, predictor, answers):
        self.info, self.classes = predictor.info, predictor.classes
        self._predictor, self._answers = predictor, iter(answers)

    def classify(self, faces, evidence=()):
        answer = np.asarray(next(self._answers), np.float32)
        readings = self._predictor.classify(faces, evidence)
        return [replace(reading, probabilities=answer) for reading in readings]


def test_a_face_that_moves_leaves_and_returns(predictor):
    worker = LiveWorker(predictor, LiveSettings(search_every=2))
    path = [20 + 9 * i for i in range(14)]
    readings = read(worker, [frame(left) for left in path])
    assert [[f.number for f in r.faces] for r in readings] == [[1]] * 14
    for left, reading in zip(path, readings, strict=True):
        x0, y0, x1, y1 = reading.faces[0].box_xyxy_px
        assert abs((x0 + x1) / 2 - (left + 78)) < 14 and abs((y0 + y1) / 2 - 112) < 14
        assert reading.faces[0].probabilities.sum() == pytest.approx(1, abs=1e-5)
    gone = read(worker, [frame()] * 16, start=14)
    assert not any(r.faces for r in gone[6:])
    back = read(worker, [frame(200)] * 3, start=30)
    assert [f.number for f in back[-1].faces] == [1], "so close by it is the same person"


def test_a_stream_that_changes_its_size_keeps_its_faces(predictor):
    worker = LiveWorker(predictor, LiveSettings(search_every=2))
    large = [frame(200)] * 3
    small = [cv2.resize(image, None, fx=0.4, fy=0.4) for image in large]
    readings = read(worker, large + small + large)
    assert [[f.number for f in r.faces] for r in readings] == [[1]] * 9
    for reading, scale in zip(readings, [1] * 3 + [0.4] * 3 + [1] * 3, strict=True):
        x0, y0, x1, y1 = np.array(reading.faces[0].box_xyxy_px) / scale
        assert abs((x0 + x1) / 2 - 278) < 14 and abs((y0 + y1) / 2 - 112) < 14


def test_two_faces_that_cross(predictor):
    def cross(call):
        one, other = 20 + 12 * call, 320 - 12 * call
        ahead = [(one, 50, one + 64, 114)]
        return ahead if abs(one - other) < 30 else [*ahead, (other, 54, other + 60, 114)]

    worker = told(LiveWorker(predictor, LiveSettings(search_every=1)), cross)
    readings = read(worker, [frame()] * 25, fps=12)
    first, last = ({f.number: f.box_xyxy_px[0] for f in r.faces} for r in readings[::24])
    assert set(first) == set(last) == {1, 2}
    assert (first[1] < first[2]) and (last[1] > last[2])


def test_noise_has_no_face_and_comes_back_as_it_is(predictor):
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    shown, reading = LiveWorker(predictor).process(noise)
    assert not reading.faces and not reading.problem
    np.testing.assert_array_equal(shown, noise)


def test_a_frame_that_breaks_the_detector_passes_unannotated_and_is_counted(predictor):
    def script(call):
        if call == 1:
            raise cv2.error("no such thing")
        return [(30, 40, 180, 190)]

    worker = told(LiveWorker(predictor, LiveSettings(search_every=3)), script)
    frames = [frame(30)] * 6
    readings = read(worker, frames)
    assert [bool(r.problem) for r in readings] == [False] * 3 + [True] + [False] * 2
    assert "error" in readings[3].problem and not readings[3].faces
    assert [len(r.faces) for r in readings] == [1, 1, 1, 0, 1, 1]  # searched again at once
    assert worker.stats().failed == 1 and worker.stats().frames == 6
    assert worker.latest.reading.index == 5


def test_what_is_no_frame_is_refused_in_words(predictor):
    gray = np.zeros((5, 7), np.uint8)
    shown, reading = LiveWorker(predictor).process(gray)
    assert shown is gray
    with pytest.raises(ImageError) as refused:
        predictor.predict(gray)
    assert reading.problem == str(refused.value)


def test_smoothing_has_the_half_life_that_was_asked_for(predictor):
    one, other = np.eye(7)[3], np.eye(7)[5]
    own = OwnAnswers(predictor, [one, other, other, other])
    worker = LiveWorker(own, LiveSettings(half_life_s=0.5, search_every=1))
    told(worker, lambda call: [(30, 40, 180, 190)])
    shares = [
        worker.process(frame(30), time_s=t)[1].faces[0].probabilities[3]
        for t in (0.0, 0.5, 0.75, 1.0)
    ]
    np.testing.assert_allclose(shares, [1, 0.5, 0.5**1.5, 0.25], rtol=1e-5)


def test_without_a_half_life_the_probabilities_are_raw(predictor):
    own = OwnAnswers(predictor, [np.eye(7)[3], np.eye(7)[5]])
    worker = LiveWorker(own, LiveSettings(half_life_s=0, search_every=1))
    told(worker, lambda call: [(30, 40, 180, 190)])
    labels = [r.faces[0].label for r in read(worker, [frame(30)] * 2)]
    assert labels == ["happy", "surprise"]


def test_mirrored_frames_are_mirrored_before_they_are_read(predictor):
    mirrored = LiveWorker(predictor, LiveSettings(mirror=True, search_every=1))
    shown, reading = mirrored.process(frame(10))
    assert reading.faces[0].box_xyxy_px[0] > WIDTH / 2
    np.testing.assert_array_equal(mirrored.latest.image_rgb, frame(10)[:, ::-1])
    np.testing.assert_array_equal(shown[:20], frame(10)[:20, ::-1])


def test_turning_the_mirror_keeps_who_is_there(predictor):
    worker = LiveWorker(predictor, LiveSettings(search_every=4))
    read(worker, [frame(10)] * 5)
    worker.settings = LiveSettings(search_every=4, mirror=True)
    mirrored = read(worker, [frame(10)] * 8, start=5)
    assert [[face.number for face in reading.faces] for reading in mirrored] == [[1]] * 8
    assert all(reading.faces[0].box_xyxy_px[0] > WIDTH / 2 for reading in mirrored)


@pytest.mark.parametrize("overlay", ["gwa", "graph"])
def test_an_overlay_changes_the_face_alone_and_draws_real_evidence(predictor, overlay):
    plain = LiveWorker(predictor, LiveSettings(bars=False, search_every=1))
    drawn = LiveWorker(predictor, LiveSettings(overlay, bars=False, search_every=1))
    without, reading = plain.process(frame(30))
    shown, _ = drawn.process(frame(30))
    changed = np.flatnonzero((shown != without).any(axis=(0, 2)))
    left, _, right, _ = reading.faces[0].box_xyxy_px
    assert left <= changed.min() < left + 15 and right - 15 < changed.max() <= right
    flat = LiveWorker(predictor, LiveSettings(overlay, bars=False, search_every=1))
    other = cv2.flip(frame(30), 0)
    told(flat, lambda call: [reading.faces[0].box_xyxy_px])
    assert (flat.process(other)[0] != cv2.flip(shown, 0)).any()


def test_bars_go_beside_the_face_on_the_side_that_has_room(predictor):
    for left, on_the_right in ((10, True), (240, False)):
        with_bars, reading = LiveWorker(predictor).process(frame(left))
        without, _ = LiveWorker(predictor, LiveSettings(bars=False)).process(frame(left))
        changed = np.flatnonzero((with_bars != without).any(axis=(0, 2)))
        x0, _, x1, _ = reading.faces[0].box_xyxy_px
        assert changed.min() >= x1 if on_the_right else changed.max() < x0


def test_the_search_is_rarer_where_it_costs_more(predictor):
    def settled(search_s: float, read_s: float) -> int:
        now = [0.0]
        worker = LiveWorker(predictor, clock=lambda: now[0])

        def detect(image):
            now[0] += search_s
            return [FoundFace((30, 40, 180, 190), 1.0)]

        def classify(faces, evidence):
            now[0] += read_s
            return predictor.classify(faces, evidence)

        slow = SimpleNamespace(
            classify=classify,
            info=predictor.info,
            classes=predictor.classes,
        )
        worker.predictor, worker._detector = slow, SimpleNamespace(detect=detect)
        for _ in range(3):
            worker.process(frame(30))
        return worker.search_every

    assert settled(0.02, 0.02) == 4
    assert settled(0.005, 0.1) == 1
    assert settled(5, 0.01) == 8


def test_a_slow_stream_is_searched_at_least_four_times_a_second(predictor):
    calls = []
    worker = told(LiveWorker(predictor), lambda call: calls.append(call) or [(30, 40, 180, 190)])
    worker._search_ms.take(1000)
    worker._reading_ms.take(1)
    for index in range(6):
        worker.process(frame(30), time_s=index * 0.3)
    assert len(calls) == 6


def test_two_streams_do_not_disturb_each_other(predictor):
    workers = [LiveWorker(predictor, LiveSettings(search_every=4)) for _ in range(2)]
    streams = [[frame(20 + 5 * i) for i in range(8)], [frame()] * 5 + [frame(200)] * 7]
    alone = [
        read(LiveWorker(predictor, LiveSettings(search_every=4)), frames) for frames in streams
    ]
    together: list = [None, None]

    def go(which):
        together[which] = read(workers[which], streams[which])

    threads = [threading.Thread(target=go, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one, other, strict=True):
            assert [f.box_xyxy_px for f in a.faces] == [f.box_xyxy_px for f in b.faces]
            for x, y in zip(a.faces, b.faces, strict=True):
                np.testing.assert_allclose(x.probabilities, y.probabilities, atol=1e-5)
    assert [w.stats().frames for w in workers] == [8, 12]
