"""Agreement by hand, against Cohen's observed agreement; projections against scikit-learn."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import accuracy_score

from fervt.errors import DataError
from fervt.metrics import people_on_errors, prediction_agreement, project, vote_shares


def test_agreement_is_the_share_of_equal_answers() -> None:
    random = np.random.default_rng(0)
    answers = [random.integers(0, 4, 90) for _ in range(3)]
    found = prediction_agreement(answers)
    assert found.shape == (3, 3)
    assert (np.diag(found) == 1).all()
    assert found[0, 2] == found[2, 0] == accuracy_score(answers[0], answers[2])


def test_whom_people_side_with() -> None:
    #                right, label, model, third, none, right though people differ
    labels = np.array([0, 1, 1, 1, 1, 2])
    predicted = np.array([0, 2, 2, 2, 2, 2])
    majority = np.array([0, 1, 2, 3, -1, 1])
    assert people_on_errors(predicted, labels, majority).tolist() == [-1, 0, 1, 2, 2, -1]


def test_vote_shares() -> None:
    found = vote_shares(np.array([[8, 2, 0], [0, 0, 0]], np.uint8))
    assert found.tolist() == [[0.8, 0.2, 0.0], [0.0, 0.0, 0.0]]


def test_pca_is_scikit_learns_and_tsne_keeps_clusters() -> None:
    random = np.random.default_rng(1)
    cluster = np.repeat([0, 1], 20)
    values = random.normal(size=(40, 6)) + 9 * cluster[:, None]
    np.testing.assert_allclose(
        np.abs(project(values)), np.abs(PCA(2).fit_transform(values)), atol=1e-3
    )
    plane = project(values, "tsne")
    assert plane.shape == (40, 2)
    middles = [plane[cluster == c].mean(axis=0) for c in (0, 1)]
    nearest = [np.linalg.norm(plane - middle, axis=1) for middle in middles]
    assert (np.argmin(nearest, axis=0) == cluster).all()


def test_too_few_rows_for_a_map_is_a_sentence() -> None:
    with pytest.raises(DataError, match="at least 4"):
        project(np.zeros((3, 8)))


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize(
    ("values", "sentence"),
    [(np.ones((8, 5)), "faces that differ"), (np.full((8, 5), np.nan), "finite")],
)
def test_what_cannot_be_laid_out_is_refused(method, values, sentence) -> None:
    with pytest.raises(DataError, match=sentence):
        project(values, method)


def test_differences_that_vanish_are_none() -> None:
    with pytest.raises(DataError, match="faces that differ"):
        project(np.random.default_rng(0).normal(size=(40, 8)) * 1e-25, "tsne")
