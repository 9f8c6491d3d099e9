"""Comparisons against SciPy and scikit-learn on random tables, and by hand at the edges."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import accuracy_score, f1_score

from fervt.errors import DataError
from fervt.metrics import compare_classes, compare_pair, join_rows, mcnemar, to_common_classes


def _answers(count: int = 500):
    random = np.random.default_rng(1)
    labels = random.integers(0, 4, count)
    models = []
    for share in (0.6, 0.68):
        guess = random.integers(0, 5, count)  # the fifth class is answered, but never right
        models.append(np.where(random.random(count) < share, labels, guess))
    return labels, *models


def test_differences_equal_scikit_learns() -> None:
    labels, a, b = _answers()
    found = compare_pair(labels, a, b, 5)
    assert found["accuracy"].value == pytest.approx(
        accuracy_score(labels, b) - accuracy_score(labels, a)
    )
    f1 = [f1_score(labels, p, labels=range(4), average="macro") for p in (a, b)]
    assert found["macro_f1"].value == pytest.approx(f1[1] - f1[0])


def test_interval_equals_scipys_bootstrap() -> None:
    labels, a, b = _answers()
    found = compare_pair(labels, a, b, 5, draws=8000)
    gain = (b == labels).astype(float) - (a == labels)
    theirs = bootstrap(
        (gain,), np.mean, n_resamples=8000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert found["accuracy"].low == pytest.approx(theirs.low, abs=0.004)
    assert found["accuracy"].high == pytest.approx(theirs.high, abs=0.004)

    def macro_f1_gain(at):
        of = [f1_score(labels[at], p[at], labels=range(4), average="macro") for p in (a, b)]
        return of[1] - of[0]

    random = np.random.default_rng(3)
    drawn = [macro_f1_gain(random.integers(0, 500, 500)) for _ in range(300)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert found["macro_f1"].low == pytest.approx(low, abs=0.012)
    assert found["macro_f1"].high == pytest.approx(high, abs=0.012)


def test_the_same_answers_do_not_differ() -> None:
    labels, a, _ = _answers()
    found = compare_pair(labels, a, a, 5)
    for difference in found.values():
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)
        assert not difference.is_clear


def test_mcnemar_is_the_binomial_test() -> None:
    labels, a, b = _answers()
    found = mcnemar(a == labels, b == labels)
    fixed = ((a != labels) & (b == labels)).sum()
    broken = ((a == labels) & (b != labels)).sum()
    assert (found.fixed, found.broken) == (fixed, broken)
    assert found.p_value == binomtest(int(fixed), int(fixed + broken)).pvalue
    nobody = mcnemar(np.array([True, False]), np.array([True, False]))
    assert (nobody.fixed, nobody.broken, nobody.p_value) == (0, 0, 1.0)


def test_no_rows_is_a_sentence() -> None:
    nothing = np.zeros(0, int)
    with pytest.raises(DataError, match="no labeled rows"):
        compare_pair(nothing, nothing, nothing, 3)
    with pytest.raises(DataError, match="no labeled rows"):
        join_rows([_rows(""), _rows("")])


def _rows(images: str, labels: list[int] | None = None) -> pd.DataFrame:
    labels = [0] * len(images) if labels is None else labels
    return pd.DataFrame(
        {"image_sha256": list(images), "label_fer2013": labels, "label_ferplus": labels}
    )


def test_rows_join_by_image_in_the_first_tables_order() -> None:
    a, b = _rows("cabd", [3, 1, 2, 4]), _rows("abcd", [1, 2, 3, 4])
    assert join_rows([a, b, a]).tolist() == [[0, 1, 2, 3], [2, 0, 1, 3], [0, 1, 2, 3]]


def test_a_short_table_joins_where_the_long_one_has_its_rows() -> None:
    assert join_rows([_rows("cabd", [3, 1, 2, 4]), _rows("ac", [1, 3])]).tolist() == [
        [0, 1],
        [1, 0],
    ]
    assert join_rows([_rows("b"), _rows("abcd"), _rows("db")]).tolist() == [[0], [1], [1]]


def test_an_image_that_lies_twice_in_a_split_is_joined_once_to_each() -> None:
    a, b = _rows("aab", [1, 2, 3]), _rows("baa", [3, 2, 1])
    assert join_rows([a, b]).tolist() == [[0, 1, 2], [2, 1, 0]]


def test_an_image_may_have_another_label_each_time_it_occurs() -> None:
    a, b = _rows("aab", [1, 2, 3]), _rows("ba", [3, 2])  # one was left out of the second table
    assert join_rows([a, b]).tolist() == [[1, 2], [1, 0]]
    assert join_rows([b, a]).tolist() == [[0, 1], [2, 1]]


def test_other_data_are_refused() -> None:
    with pytest.raises(DataError, match=r"Only 2 of 4 rows .* \(50\.0%\)"):
        join_rows([_rows("abcd"), _rows("abxy")])
    with pytest.raises(DataError, match=r"Only 1 of 2 rows .* \(50\.0%\)"):
        join_rows([_rows("abcdef"), _rows("ax")])
    with pytest.raises(DataError, match="no labeled rows"):
        join_rows([_rows("abc"), _rows("")])
    with pytest.raises(DataError, match="different labels"):
        join_rows([_rows("ab", [0, 1]), _rows("ab", [0, 2])])
    with pytest.raises(DataError, match="different labels"):
        join_rows([_rows("aabc", [0, 1, 2, 3]), _rows("aabc", [0, 2, 2, 3])])


def test_common_classes_sum_to_one() -> None:
    table = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
    found = to_common_classes(table, ("x", "y", "z"), ("z", "x"))
    np.testing.assert_allclose(found, [[0.6, 0.4], [0.5, 0.5]])


def test_each_class_changes_with_an_interval_that_holds_the_change() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 3, 400)
    worse = np.where(random.random(400) < 0.5, labels, random.integers(0, 3, 400))
    better = np.where(random.random(400) < 0.8, labels, random.integers(0, 3, 400))
    expected = f1_score(labels, better, average=None) - f1_score(labels, worse, average=None)
    found = compare_classes(labels, worse, better, 3)
    np.testing.assert_allclose([d.value for d in found], expected)
    assert all(d.low < d.value < d.high and d.is_clear for d in found)


def test_few_differing_answers_are_no_clear_difference_though_all_point_one_way() -> None:
    labels = np.zeros(3589, int)
    a, b = labels.copy(), labels.copy()
    a[:5] = 1
    found = compare_pair(labels, a, b, 2)["accuracy"]
    assert found.low >= 0 and found.p_value == pytest.approx(0.0625) and not found.is_clear
    a[:9] = 1
    assert compare_pair(labels, a, b, 2)["accuracy"].is_clear


def test_labels_that_one_table_lacks_say_nothing() -> None:
    a = _rows("abcd", [0, 1, 2, 3])
    b = a.assign(label_ferplus=-1)
    assert join_rows([a, b]).tolist() == [[0, 1, 2, 3]] * 2
    with pytest.raises(DataError, match="different labels"):
        join_rows([a, b.assign(label_fer2013=[0, 1, 3, 3])])
