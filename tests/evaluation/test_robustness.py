"""Corruptions, and what is read off the answers to them."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import tiny
from drawn_evidence import save_robustness
from scipy.stats import binomtest
from synthetic import save_evaluation

from fervt.errors import DataError
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.comparison import join_evaluations
from fervt.evaluation.corruptions import CONDITIONS, CORRUPTIONS, STRENGTHS, corrupt
from fervt.evaluation.measuring import measure_robustness
from fervt.evaluation.pairs import join_robustness
from fervt.evaluation.robustness import (
    BREAKS,
    FILE,
    HOLDS,
    Limits,
    Point,
    Robustness,
    calibration_error,
    corruption_error,
    curves,
    describe_limits,
    limits,
    paired_difference,
    read_robustness,
    sample_rows,
)
from fervt.evaluation.saved import read_evaluation
from fervt.labels import FER2013, FERPLUS
from fervt.metrics import reliability
from fervt.predict import Predictor


def faces(count: int = 12) -> tuple[np.ndarray, list[str]]:
    drawn = tiny.draw_faces(np.arange(count) % 7, 3)
    return drawn, [hashlib.sha256(face.tobytes()).hexdigest() for face in drawn]


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_every_strength_corrupts_more_than_the_last(kind: str) -> None:
    images, digests = faces()
    before, change = images.copy(), []
    for level in range(1, STRENGTHS + 1):
        corrupted = corrupt(images, digests, kind, level)
        assert corrupted.shape == images.shape and corrupted.dtype == np.uint8
        change.append(float(np.abs(corrupted.astype(float) - images).mean()))
    assert (images == before).all()
    assert change[0] > 0
    assert change == sorted(change) or kind in {"rotation", "shift", "zoom"}
    assert change[-1] > 1.3 * change[0] or kind in {"rotation", "shift", "zoom"}


def test_a_face_is_corrupted_alike_in_every_sample() -> None:
    images, digests = faces()
    for kind in ("noise", "rotation", "shift", "occlusion"):
        whole = corrupt(images, digests, kind, 3)
        part = corrupt(images[5:7], digests[5:7], kind, 3)
        assert (whole[5:7] == part).all()
    assert (
        corrupt(images, digests, "noise", 3)[0] != corrupt(images, digests, "noise", 4)[0]
    ).any()


def test_strengths_in_words() -> None:
    assert CORRUPTIONS["brightness"].describe(2) == "50% of the light"
    assert CORRUPTIONS["brightness"].tick(2) == "50%" and CORRUPTIONS["jpeg"].tick(0) == "none"
    assert len(CONDITIONS) == 50 and len(CORRUPTIONS) == 10


def test_samples_keep_the_labels_shares_and_overlap_between_checkpoints() -> None:
    random = np.random.default_rng(0)
    labels = random.choice(4, 2000, p=[0.5, 0.3, 0.15, 0.05])
    shas = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(2000)]
    table = pd.DataFrame({"label": labels, "image_sha256": shas})
    chosen = sample_rows(table, 500)
    assert len(chosen) == len(set(chosen.tolist())) == 500
    for label in range(4):
        share = (labels[chosen] == label).sum() / 500
        assert share == pytest.approx((labels == label).mean(), abs=1 / 500)
    fewer = table.iloc[random.permutation(2000)[:1800]]
    again = fewer.iloc[sample_rows(fewer, 500)]
    common = set(again["image_sha256"]) & set(table["image_sha256"].iloc[chosen])
    assert len(common) > 420
    assert sample_rows(table, 5000).tolist() == list(range(2000))


def answered(right: list[float], n: int = 200) -> Robustness:
    """Answers of which given shares are right, condition by condition; all others perfect."""
    found = Robustness.empty("c" * 64, "r" * 64, np.arange(n))
    found.predicted[:] = 0
    found.confidence[:] = 0.9
    for at, share in enumerate(right):
        found.predicted[at, round(share * n) :] = 1
    return found


def test_curves_are_the_shares_of_right_answers() -> None:
    found = answered([1.0, 0.98, 0.96, 0.9, 0.7, 0.5])
    points = curves(found, np.zeros(200, int))["brightness"]
    assert [p.accuracy for p in points] == pytest.approx([1, 0.98, 0.96, 0.9, 0.7, 0.5])
    assert [p.loss for p in points] == pytest.approx([0, 0.02, 0.04, 0.1, 0.3, 0.5])
    wilson = binomtest(180, 200).proportion_ci(0.95, "wilson")
    assert (points[3].low, points[3].high) == pytest.approx((wilson.low, wilson.high))
    assert all(p.loss_low <= p.loss <= p.loss_high for p in points)
    assert limits(points) == Limits(2, 4)
    said = describe_limits("brightness", points)
    assert said.startswith("Holds up to 50% of the light (-4.0 points")
    assert "breaks at 15% of the light (-30.0 points" in said
    error = corruption_error(found, np.zeros(200, int))
    assert error is not None
    assert error.mean == pytest.approx((0.02 + 0.04 + 0.1 + 0.3 + 0.5) / 50)
    assert error.relative == error.mean and error.n == 200


def test_limits_at_their_ends() -> None:
    def points(losses: list[float]) -> list[Point]:
        return [Point(i, 0, 0, 0, x, x, x, 0, 0) for i, x in enumerate([0.0, *losses])]

    assert limits(points([0, 0, 0, 0, HOLDS])) == Limits(5, None)
    assert limits(points([BREAKS, 0, 0, 0, 0])) == Limits(0, 1)
    # A later level that recovers doesn't make it hold.
    assert limits(points([0.0, 0.06, 0.0, 0.2, 0.1])) == Limits(1, 4)
    never = describe_limits("jpeg", points([0, 0, 0, 0, 0.06]))
    assert "doesn't break in the range tried, even at JPEG quality 5" in never
    assert describe_limits("jpeg", points([0.2] * 5)).startswith("Weakens at once; breaks at")


def test_rows_without_a_label_do_not_count() -> None:
    found = answered([1.0, 0.5])
    labels = np.zeros(200, int)
    labels[100:] = -1
    assert curves(found, labels)["brightness"][1].accuracy == 1
    with pytest.raises(DataError, match="None of the sampled faces"):
        curves(found, np.full(200, -1))


def test_paired_intervals_cover_at_their_rate() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        right = random.random(80) < 0.7
        other = np.where(random.random(80) < 0.75, right, random.random(80) < 0.5)
        _, low, high = paired_difference(right, other)
        covered += low <= 0.7 - (0.75 * 0.7 + 0.25 * 0.5) <= high
    assert 0.935 < covered / 2000 < 0.975
    value, low, high = paired_difference(np.ones(30, bool), np.ones(30, bool))
    assert value == 0 and low < 0 < high


def test_calibration_error_is_that_of_the_other_figures() -> None:
    random = np.random.default_rng(0)
    chances = random.dirichlet(np.ones(3), 400)
    labels = random.integers(0, 3, 400)
    wanted = reliability(chances, labels).error
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    assert calibration_error(sure, right) == pytest.approx(wanted)


class Interrupted(Exception):
    pass


def test_an_interrupted_run_goes_on(tmp_path) -> None:
    predictor = Predictor(tiny.save_tiny(tmp_path))
    data = tiny.tiny_data(4).split("PublicTest")
    labels = data.label_fer2013
    quiet, kept = (lambda share, doing: None), []

    def stop(found: Robustness) -> None:
        found.write(tmp_path)
        kept.append(found.done)
        if found.done == 12:
            raise Interrupted

    with pytest.raises(Interrupted):
        measure_robustness(quiet, predictor, data, labels, 14, None, stop)
    begun = read_robustness(tmp_path, predictor.sha256, data.sha256.tolist(), 7)
    assert begun is not None and begun.done == 12 and not begun.is_whole
    assert list(curves(begun, labels[begun.positions])) == ["brightness", "contrast"]
    assert corruption_error(begun, labels[begun.positions]) is None
    again: list[int] = []
    found = measure_robustness(
        quiet, predictor, data, labels, 14, begun, lambda f: again.append(f.done)
    )
    assert found.is_whole and again[-1] == 51 and len(again) == 51 - 12 + 1
    at_once = measure_robustness(quiet, predictor, data, labels, 14)
    assert (found.predicted == at_once.predicted).all()
    assert found.evidence == pytest.approx(at_once.evidence, abs=1e-5)
    assert found.evidence[0] == pytest.approx(1, abs=1e-5)
    other = measure_robustness(quiet, predictor, data, labels, 9, begun)  # another sample
    assert len(other) == 9


def test_what_lies_beside_other_predictions_is_refused(tmp_path) -> None:
    digests = [f"{i:064x}" for i in range(200)]
    found = answered([1.0, 0.5])
    good = Robustness(
        found.checkpoint_sha256, hash_rows(digests), found.positions, found.predicted,
        found.confidence, found.evidence,
    )  # fmt: skip
    assert read_robustness(tmp_path, "c" * 64, digests, 7) is None
    good.write(tmp_path)
    assert read_robustness(tmp_path, "c" * 64, digests, 7) is not None
    with pytest.raises(DataError, match="another checkpoint"):
        read_robustness(tmp_path, "d" * 64, digests, 7)
    with pytest.raises(DataError, match="other rows"):
        read_robustness(tmp_path, "c" * 64, digests[1:], 7)
    with pytest.raises(DataError, match="damaged"):
        read_robustness(tmp_path, "c" * 64, digests, 1)
    (tmp_path / FILE).write_bytes(good.as_bytes()[:500])
    with pytest.raises(DataError, match="damaged"):
        read_robustness(tmp_path, "c" * 64, digests, 7)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("positions", lambda v: np.array(3)),
        ("positions", lambda v: v.astype(str)),
        ("positions", lambda v: v * 0),
        ("positions", lambda v: v - 1),
        ("positions", lambda v: v + 10**6),
        ("predicted", lambda v: v.astype(float)),
        ("predicted", lambda v: np.where(np.arange(v.shape[1]) == 1, -1, v)),
        ("predicted", lambda v: np.where(np.arange(len(v))[:, None] == 3, -1, v)),
        ("confidence", lambda v: v.astype("S3")),
        ("confidence", lambda v: v * np.float16(np.nan)),
        ("confidence", lambda v: v + 1),
        ("confidence", lambda v: v[0, 0]),
        ("evidence", lambda v: v.astype(str)),
        ("evidence", lambda v: v + np.float32(np.inf)),
        ("evidence", lambda v: v.astype(complex)),
    ],
)
def test_values_that_an_array_cannot_have_are_damage(tmp_path, name, change) -> None:
    folder = save_evaluation(tmp_path / "alpha")
    save_robustness(folder)
    assert read_evaluation(folder).robustness() is not None
    with np.load(folder / FILE) as file:
        arrays = dict(file)
    arrays[name] = change(arrays[name])
    np.savez(folder / FILE, **arrays)
    with pytest.raises(DataError, match="damaged"):
        read_evaluation(folder).robustness()


def test_an_empty_sample_is_refused(tmp_path) -> None:
    predictor = Predictor(tiny.save_tiny(tmp_path))
    data = tiny.tiny_data(2).split("PublicTest")
    with pytest.raises(DataError, match="at least one face"):
        measure_robustness(lambda *_: None, predictor, data, data.label_fer2013, 0)


def test_two_checkpoints_are_compared_on_the_same_faces(tmp_path) -> None:
    one = read_evaluation(save_evaluation(tmp_path / "one", "one"))
    two = read_evaluation(save_evaluation(tmp_path / "two", "two", classes=FERPLUS, seed=1))
    joined = join_evaluations([one, two], FER2013)
    found = []
    for evaluation, start in ((one, 0), (two, 30)):
        positions = np.arange(start, start + 150)
        each = Robustness.empty("", "", positions)
        table = evaluation.plain.iloc[positions]
        each.predicted[:] = table["label"].to_numpy()
        each.confidence[:] = 0.8
        found.append(each)
    pair = join_robustness(joined, found, [one.vocabulary, two.vocabulary])
    shared = set(one.plain["image_sha256"][:150]) & set(two.plain["image_sha256"][30:180])
    assert 80 < pair.n <= len(shared)
    assert pair.curves[0]["noise"][0].accuracy == 1
    # The other's labels are the annotators': it is right where they agree with the label.
    assert 0.6 < pair.curves[1]["noise"][0].accuracy < 0.95
    far = Robustness.empty("", "", np.array([0]))
    far.predicted[:] = 0
    near = Robustness.empty("", "", np.array([200]))
    near.predicted[:] = 0
    with pytest.raises(DataError, match="different faces"):
        join_robustness(joined, [far, near], [one.vocabulary, two.vocabulary])


def test_a_difference_is_at_most_everything() -> None:
    ones, zeros = np.ones(5, bool), np.zeros(5, bool)
    assert paired_difference(ones, zeros)[2] == 1
    assert paired_difference(zeros, ones)[1] == -1
