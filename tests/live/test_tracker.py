"""Numbers stay with people: moving, hidden for a moment, crossing, leaving."""

import numpy as np
import pytest

from fervt.faces import FoundFace
from fervt.live.tracker import Tracker, overlap

FPS = 25


def box(x: float, y: float = 50, side: float = 60) -> tuple[int, int, int, int]:
    return round(x), round(y), round(x + side), round(y + side)


def faces(boxes: list, angle_deg: float = 0.0) -> list[FoundFace]:
    return [FoundFace(box, 1.0, angle_deg) for box in boxes]


def run(tracker: Tracker, frames: list, every: int = 1, start: int = 0):
    """Steps through lists of boxes; the detector sees every so many frames."""
    seen = []
    for index, boxes in enumerate(frames, start):
        tracks = tracker.step(index / FPS, faces(boxes) if index % every == 0 else None)
        seen.append({track.number: track.box.copy() for track in tracks})
    return seen


def test_a_moving_face_keeps_its_number_and_its_box_stays_on_it_between_searches():
    path = [box(20 + 4 * i, 30 + 2 * i) for i in range(60)]
    seen = run(Tracker(), [[b] for b in path], every=4)
    assert all(set(frame) == {1} for frame in seen)
    for frame, truth in list(zip(seen, path, strict=True))[20:]:
        assert np.abs(frame[1] - truth).max() < 4  # pixels; standing still would be up to 12 off


@pytest.mark.parametrize("every", [1, 3])
def test_two_faces_that_cross_keep_their_numbers(every):
    frames = []
    for i in range(70):
        ahead, behind = box(20 + 5 * i, side=64), box(380 - 5 * i, y=54, side=56)
        hidden = overlap([np.array(ahead)], [np.array(behind)])[0, 0] > 0.25
        frames.append([ahead] if hidden else [ahead, behind])
    seen = run(Tracker(), frames, every)
    assert max(max(frame) for frame in seen) == 2
    first = {number: frame[0] for number, frame in seen[0].items()}
    last = {number: frame[0] for number, frame in seen[-1].items()}
    left = min(first, key=first.get)
    assert last[left] == max(last.values())
    assert len(last) == 2


def test_one_missed_search_is_forgiven_and_two_are_not():
    tracker = Tracker()
    seen = run(tracker, [[box(10)], [box(10)], [], [], [box(10)]])
    assert [list(frame) for frame in seen] == [[1], [1], [1], [], [1]]


def test_a_miss_is_forgiven_for_half_a_second_only():
    tracker = Tracker()
    tracker.step(0.0, faces([box(10)]))
    assert tracker.step(0.4, [])
    assert not tracker.step(0.8)


def test_who_comes_back_to_the_same_place_has_the_same_number():
    tracker = Tracker()
    run(tracker, [[box(10), box(300)]] * 3 + [[box(300)]] * 100)
    assert set(run(tracker, [[box(40), box(300)]], start=103)[0]) == {1, 2}


@pytest.mark.parametrize(
    ("away", "at"),
    [(30, box(200)), (30, box(10, side=150)), (FPS * 11, box(10))],
    ids=["elsewhere", "of another size", "after a long time"],
)
def test_who_was_away_and_comes_back_otherwise_is_somebody_new(away, at):
    tracker = Tracker()
    run(tracker, [[box(10)]] * 3 + [[]] * away)
    assert list(run(tracker, [[at]], start=3 + away)[0]) == [2]


def test_a_face_keeps_its_number_at_one_frame_a_second():
    tracker = Tracker()
    seen = [tracker.step(second, faces([box(20 + 70 * (second % 2))])) for second in range(8)]
    assert [[track.number for track in tracks] for tracks in seen] == [[1]] * 8


def test_a_face_across_the_room_is_somebody_else():
    tracker = Tracker()
    run(tracker, [[box(10)], [box(10)]])
    assert 2 in run(tracker, [[box(300)]], start=2)[0]


def test_faces_far_apart_are_different_people_and_largest_does_not_matter():
    seen = run(Tracker(), [[box(10), box(200)], [box(201), box(11)]])
    assert np.abs(seen[1][1] - box(11)).max() <= 1
    assert np.abs(seen[1][2] - box(201)).max() <= 1


def test_overlap_of_boxes_of_different_shapes():
    shares = overlap([np.array([0, 0, 4, 2])], [np.array([2, 0, 6, 4]), np.array([4, 2, 6, 4])])
    np.testing.assert_allclose(shares, [[4 / 20, 0]])
    assert overlap([], [np.array([0, 0, 1, 1])]).shape == (0, 1)


def test_faces_go_over_to_the_other_side_with_a_mirror():
    tracker = Tracker()
    tracker.step(0.0, faces([(10, 5, 30, 25)], 20.0))
    (before,) = tracker.step(0.1, faces([(12, 5, 32, 25)], 25.0))
    box, speed = before.box.copy(), before.speed.copy()
    assert speed.any()
    tracker.mirror(100)
    (track,) = tracker.step(0.1)
    assert track.number == 1 and before.angle_deg == -25.0
    assert track.box.tolist() == [100 - box[2], box[1], 100 - box[0], box[3]]
    assert track.speed.tolist() == [-speed[2], speed[1], -speed[0], speed[3]]


def test_two_poor_matches_do_not_beat_a_perfect_one():
    first, second, newcomer = box(0, side=100), box(75, side=100), box(150, side=100)
    tracker = Tracker()
    run(tracker, [[first, second]] * 5)
    (seen,) = run(tracker, [[second, newcomer]], start=5)  # the first is missed for a moment
    assert np.abs(seen[2] - second).max() < 4, "the second is still the second"
    (later,) = run(tracker, [[first, second, newcomer]], start=6)
    assert {n: round(b[0]) for n, b in later.items()} == {1: 0, 2: 75, 3: 150}


def test_neighbors_keep_their_numbers_when_the_camera_pans():
    before = [box(x, side=100) for x in (0, 110)]
    tracker = Tracker()
    run(tracker, [before] * 5)
    after = [box(x, side=100) for x in (70, 180)]
    tracks = tracker.step(5 / FPS + 0.3, faces(after))
    left = {track.number: track.box[0] for track in tracks}  # smoothed
    assert set(left) == {1, 2} and left[1] < 100 < left[2]
