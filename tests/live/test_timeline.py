"""What is kept of a stream, and how fast it ran."""

import csv
from io import StringIO

import numpy as np

from fervt.labels import FER2013
from fervt.live import FaceReading, FrameReading, Timeline
from fervt.live.meter import Meter
from fervt.live.timeline import KEPT_S, face_numbers, face_series, readings_as_csv

CLASSES = FER2013.classes


def face(number: int, leading: int = 3) -> FaceReading:
    shares = np.full(7, 0.05, np.float32)
    shares[leading] = 0.7
    return FaceReading(number, (10 * number, 2, 10 * number + 8, 11), 12.5, CLASSES, shares)


def reading(index: int, *numbers: int, time_s: float | None = None) -> FrameReading:
    at_s = index / 10 if time_s is None else time_s
    return FrameReading(index, at_s, tuple(face(n, n) for n in numbers), 12.5)


def test_the_timeline_forgets_what_is_older_than_five_minutes():
    timeline = Timeline()
    for index in range(700):
        timeline.append(reading(index, 1, time_s=index))
    kept = timeline.readings()
    assert kept[0].time_s == 699 - KEPT_S
    assert [r.index for r in timeline.readings(2)] == [697, 698, 699]


def test_the_timeline_is_bounded_in_number_too():
    timeline = Timeline()
    for index in range(13_000):
        timeline.append(reading(index, time_s=index / 1000))
    assert len(timeline.readings()) == 12_000


def test_a_series_has_gaps_where_the_face_was_away_and_ends_now():
    readings = [reading(i, *([2] if i < 5 else []), *([3] if i > 3 else [])) for i in range(11)]
    times, values = face_series(readings, 3, 7, points=4)
    assert times[-1] == 1.0 and len(times) <= 4
    assert values.shape == (len(times), 7)
    assert np.isnan(values[0]).all() and values[-1].argmax() == 3
    assert face_numbers(readings) == [3, 2]


def test_the_csv_has_a_row_a_face_and_one_for_a_frame_without():
    text = readings_as_csv([reading(0, 2, 4), reading(1)], FER2013)
    rows = list(csv.reader(StringIO(text)))
    assert rows[0] == "frame time_s face left top right bottom angle_deg label".split() + list(
        CLASSES
    )
    assert rows[1][:9] == ["0", "0.000", "2", "20", "2", "28", "11", "12.5", "fear"]
    assert rows[2][2] == "4" and float(rows[2][9 + 4]) == 0.7
    assert rows[3][:2] == ["1", "0.100"] and set(rows[3][2:]) == {""}
    assert {len(row) for row in rows} == {16}


def test_rates_count_the_last_seconds_and_sums_count_all():
    meter = Meter()
    assert meter.stats(0).processed_fps == 0
    for i in range(100):  # ten a second for ten seconds, and as many dropped
        meter.count(i / 10, dropped=1, latency_ms=float(i), problem="broken" if i == 7 else "")
    stats = meter.stats(9.9)
    assert abs(stats.processed_fps - 10) < 0.5 and abs(stats.dropped_fps - 10) < 0.5
    assert stats.in_fps == stats.processed_fps + stats.dropped_fps
    assert (stats.frames, stats.dropped, stats.failed) == (100, 100, 1)
    assert 83 <= stats.latency_median_ms <= 86 and 97 <= stats.latency_p95_ms <= 99
    assert meter.stats(60).processed_fps == 0
