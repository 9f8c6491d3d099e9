"""Curves against scikit-learn on random tables, and by hand at the edges."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fervt.errors import DataError
from fervt.metrics import precision_recall_curves, risk_coverage, roc_curves, softmax


@pytest.fixture
def table():
    random = np.random.default_rng(4)
    labels = random.integers(0, 5, 300)
    logits = random.normal(size=(300, 6))  # the sixth class never occurs
    logits[np.arange(300), labels] += 1.0
    return softmax(logits), labels


def test_areas_equal_scikit_learns(table) -> None:
    probabilities, labels = table
    for curves, area in (
        (roc_curves(probabilities, labels), roc_auc_score),
        (precision_recall_curves(probabilities, labels), average_precision_score),
    ):
        assert len(curves) == 6
        assert curves[5] is None
        for index, curve in enumerate(curves[:5]):
            assert curve.area == pytest.approx(area(labels == index, probabilities[:, index]))
            assert len(curve.x) == len(curve.y)


def test_a_class_that_all_rows_have_has_no_curve() -> None:
    assert roc_curves(np.array([[0.7, 0.3], [0.4, 0.6]]), np.array([0, 0])) == [None, None]


def test_risk_by_hand_with_a_tie() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.8, 0.2]])
    found = risk_coverage(probabilities, np.array([0, 1, 0, 0]))
    # 0.9 right; the two of 0.8: one wrong; 0.6 wrong.
    assert found.threshold.tolist() == [0.9, 0.8, 0.6]
    assert found.coverage.tolist() == [0.25, 0.75, 1.0]
    assert found.risk == pytest.approx([0, 1 / 3, 0.5])
    assert found.area == pytest.approx((0 + 2 / 3 + 0.5) / 4)
    assert found.at(0.95) == (0.0, None)
    assert found.at(0.8) == pytest.approx((0.75, 1 / 3))
    assert found.at(0.61) == pytest.approx((0.75, 1 / 3))
    assert found.at(0.0) == (1.0, 0.5)


def test_full_coverage_is_the_error_rate(table) -> None:
    probabilities, labels = table
    found = risk_coverage(probabilities, labels)
    assert found.coverage[-1] == 1
    assert found.risk[-1] == pytest.approx((probabilities.argmax(axis=1) != labels).mean())
    for threshold in (0.3, 0.5):
        sure = probabilities.max(axis=1) >= threshold
        wrong = (probabilities.argmax(axis=1) != labels)[sure]
        assert found.at(threshold) == pytest.approx((sure.mean(), wrong.mean()))


def test_no_rows_is_a_sentence() -> None:
    with pytest.raises(DataError, match="no labeled rows"):
        risk_coverage(np.zeros((0, 7)), np.zeros(0, int))
