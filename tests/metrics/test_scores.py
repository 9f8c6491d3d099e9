"""Figures against scikit-learn and SciPy on random tables, and by hand at the edges."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
)

from fervt.errors import DataError
from fervt.labels import FER2013
from fervt.metrics import (
    accuracy_interval,
    fit_temperature,
    reliability,
    rescale,
    score,
    softmax,
)


def _random(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 7, count)
    logits = random.normal(size=(count, 7))
    logits[np.arange(count), labels] += 1.0
    return logits, labels


def test_scores_equal_scikit_learns() -> None:
    logits, labels = _random()
    probabilities = softmax(logits)
    scores = score(probabilities, labels, FER2013.classes)
    predicted = probabilities.argmax(axis=1)
    assert scores.n == 400
    assert scores.accuracy == pytest.approx(accuracy_score(labels, predicted))
    for name, function in (
        ("macro_f1", f1_score),
        ("macro_precision", precision_score),
        ("macro_recall", recall_score),
    ):
        assert getattr(scores, name) == pytest.approx(function(labels, predicted, average="macro"))
    assert scores.nll == pytest.approx(log_loss(labels, probabilities, labels=range(7)), 1e-5)
    assert np.sum(scores.confusion) == 400
    shares = confusion_matrix(labels, predicted, labels=range(7), normalize="true")
    np.testing.assert_allclose(scores.confusion_shares, shares)
    assert scores.confusion[2][3] == ((labels == 2) & (predicted == 3)).sum()
    assert sum(c.support for c in scores.per_class.values()) == 400


def test_a_class_that_never_occurs_or_is_never_predicted() -> None:
    probabilities = np.tile([0.5, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05], (6, 1))
    scores = score(probabilities, np.array([0, 0, 0, 3, 3, 3]), FER2013.classes)
    assert scores.accuracy == 0.5
    assert scores.per_class["happy"].precision == 0
    assert scores.per_class["disgust"].support == 0
    assert scores.occurring == ["happy", "angry"]
    # Over angry (2/3) and happy (0), the only classes there are.
    assert scores.macro_f1 == pytest.approx(1 / 3)


def test_no_rows_is_a_sentence() -> None:
    with pytest.raises(DataError, match="no labeled rows"):
        score(np.zeros((0, 7)), np.zeros(0, int), FER2013.classes)


def test_interval_is_about_one_and_a_half_points_on_private_test() -> None:
    low, high = accuracy_interval(2400, 3589)
    assert low < 2400 / 3589 < high
    assert 0.014 < (high - low) / 2 < 0.017
    assert accuracy_interval(0, 5)[0] == 0
    assert accuracy_interval(5, 5)[1] == 1


def test_temperature_undoes_a_known_scale() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(size=(20_000, 7)) * 1.5
    chances = softmax(logits)
    labels = (chances.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    temperature = fit_temperature(softmax(logits * 2.5), labels)
    assert temperature == pytest.approx(2.5, rel=0.05)
    before, after = (
        reliability(p, labels).error
        for p in (softmax(logits * 2.5), rescale(softmax(logits * 2.5), temperature))
    )
    assert after < 0.02 < before


def test_rescaling_probabilities_equals_scaling_logits() -> None:
    logits, _ = _random()
    np.testing.assert_allclose(rescale(softmax(logits), 1.7), softmax(logits, 1.7), atol=1e-5)
    np.testing.assert_allclose(np.log(softmax(logits)), log_softmax(logits, axis=1), atol=1e-4)


def test_reliability_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [1.0, 0.0]])
    found = reliability(probabilities, np.array([0, 1, 0, 0]), bins=10)
    assert found.count.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 2, 1]
    # |0.6 - 1| / 4 + |0.9 - 0.5| * 2 / 4 + 0
    assert found.error == pytest.approx(0.3)
