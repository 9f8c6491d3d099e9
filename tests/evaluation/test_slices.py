"""Slices against SciPy and by simulation: a planted bad slice is found, and chance is not."""

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact

from fervt.evaluation.slices import _test, holm, slice_rows, worst_slices

NAMES = ["Angry", "Happy", "Sad"]


def draw(seed: int, n: int = 900) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    measures = {
        "brightness": random.normal(120, 30, n),
        "contrast": random.normal(50, 10, n),
        "tilt": random.gamma(2, 5, n),
    }
    return measures, random.integers(0, 3, n), random.random(n) < 0.8


def test_bins_hold_every_known_row_once() -> None:
    measures, _, right = draw(0)
    values = measures["brightness"]
    values[:13] = np.nan
    slices = slice_rows("brightness", values, right)
    assert len(slices) == 5
    assert (np.sum([each.rows for each in slices], axis=0) == np.isfinite(values)).all()
    assert all(150 < each.n < 200 for each in slices)
    for each in slices:
        wilson = binomtest(int(right[each.rows].sum()), each.n).proportion_ci(0.95, "wilson")
        assert each.accuracy == pytest.approx(right[each.rows].mean())
        assert (each.low, each.high) == pytest.approx((wilson.low, wilson.high))
    assert slices[0].title.startswith("dark (brightness ")
    assert slices[-1].title.startswith("bright (brightness ")


def test_a_measure_that_is_one_value_has_no_slices() -> None:
    right = np.ones(40, bool)
    assert slice_rows("tilt", np.full(40, np.nan), right) == []
    assert slice_rows("tilt", np.full(40, 3.0), right) == []


def test_a_planted_slice_is_found_with_its_corrected_p() -> None:
    measures, labels, right = draw(1)
    dark = measures["brightness"] < np.quantile(measures["brightness"], 0.2)
    right[dark] = np.random.default_rng(5).random(dark.sum()) < 0.4
    worst = worst_slices(measures, labels, NAMES, right)
    assert worst.slices[0].is_clear and "dark" in worst.slices[0].title
    found = next(s for s in worst.slices if s.n == dark.sum() or "dark" in s.title)
    hits = int(right[found.rows].sum())
    rest = right[~found.rows]
    table = [[hits, found.n - hits], [int(rest.sum()), int((~rest).sum())]]
    plain = fisher_exact(table, alternative="less").pvalue
    assert plain < found.p_value <= min(1, plain * worst.tried * (1 + 1e-9))
    for one in worst.slices:  # the intervals hold for all that were tried
        wilson = binomtest(int(right[one.rows].sum()), one.n).proportion_ci(
            1 - 0.05 / worst.tried, "wilson"
        )
        assert (one.low, one.high) == pytest.approx((wilson.low, wilson.high))
        others = [other for other in worst.slices if other is not one]
        assert all((one.rows & o.rows).sum() <= 0.5 * (one.rows | o.rows).sum() for o in others)


def test_chance_is_called_clear_in_one_search_of_twenty_at_most() -> None:
    alarms = sum(
        any(
            s.is_clear for s in worst_slices(*draw(seed, 300)[:2], NAMES, draw(seed, 300)[2]).slices
        )
        for seed in range(40)
    )
    assert alarms <= 5  # 2 of 40 at the nominal rate


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1, 1])


def test_too_few_rows_are_not_searched() -> None:
    measures, labels, right = draw(0, 50)
    assert worst_slices(measures, labels, NAMES, right).tried == 0


def crossed(accuracy: list[list[float]]) -> tuple[dict, np.ndarray, np.ndarray]:
    """Three equal bins of brightness by two classes of 600 faces each, right at these rates."""
    labels = np.repeat([0, 1], 600)
    dark = np.tile(np.repeat([0, 1, 2], 200), 2)
    right = np.concatenate([np.arange(200) < 200 * a for row in accuracy for a in row])
    return {"brightness": dark + np.arange(1200) / 1e5}, labels, right


def test_a_combination_better_than_a_part_is_never_listed() -> None:
    # The dark angry faces are the worst of the angry, but better than the other dark ones.
    measures, labels, right = crossed([[0.55, 0.9, 0.9], [0.2, 0.95, 0.95]])
    worst = worst_slices(measures, labels, NAMES[:2], right, 50)
    titles = [each.title for each in worst.slices]
    assert any(title.startswith("labeled Happy; dark") for title in titles)
    assert not any(title.startswith("labeled Angry; dark") for title in titles)


@pytest.mark.parametrize(("sign", "clear"), [(-1, True), (1, False)])
def test_only_the_worse_direction_is_evidence(sign: int, clear: bool) -> None:
    measures, labels, right = crossed([[0.6 + 0.3 * sign, 0.6, 0.6], [0.6, 0.6, 0.6]])
    worst = worst_slices(measures, labels, NAMES[:2], right, 50)
    by_title = {each.title.split(" (")[0]: each for each in worst.slices}
    found = by_title.get("labeled Angry; dark")
    assert (found is not None and found.is_clear) == clear


def test_a_slice_far_better_than_the_rest_has_no_small_p() -> None:
    rows = np.arange(200) < 100
    assert _test(rows, ~rows, np.arange(200) < 90) > 0.999
    assert _test(~rows, rows, np.arange(200) < 90) < 1e-6
