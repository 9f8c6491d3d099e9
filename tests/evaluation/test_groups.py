"""Groups of rows: every choice of label and prediction gives two groups without a common row."""

import numpy as np
import pytest
from synthetic import save_evaluation

from fervt.evaluation.groups import ANY, WRONG, chosen_groups, opposite_groups, rows_as_table
from fervt.evaluation.saved import read_evaluation

SIX = 6


@pytest.fixture
def rows(tmp_path):
    return read_evaluation(save_evaluation(tmp_path / "alpha")).rows()


def test_every_choice_gives_two_groups_apart_that_are_what_they_say(rows) -> None:
    options = (ANY, *rows.classes)
    for label in options:
        for predicted in (*options, WRONG):
            group, other = opposite_groups(rows, label, predicted)
            assert not (group.rows & other.rows).any()
            for each in (group, other):
                # Whole cells of the confusion matrix.
                cell = rows.labels * len(rows.classes) + rows.predicted
                assert not np.isin(cell[~each.rows], cell[each.rows]).any()
                if label != ANY:
                    assert (rows.labels[each.rows] == rows.classes.index(label)).all()
            assert rows.right[other.rows].all() or not rows.right[other.rows].any()


def test_what_stands_against_what(rows) -> None:
    fear, sad = rows.classes.index("fear"), rows.classes.index("sad")
    group, other = opposite_groups(rows, "fear", "sad")
    assert (group.rows == ((rows.labels == fear) & (rows.predicted == sad))).all()
    assert (other.rows == ((rows.labels == fear) & rows.right)).all()
    group, other = opposite_groups(rows, ANY, "fear")
    assert (group.rows == ((rows.predicted == fear) & rows.right)).all()
    assert (other.rows == ((rows.predicted == fear) & ~rows.right)).all()
    assert group.title == "answers of Fearful that are right"
    for predicted in (ANY, WRONG):
        group, other = opposite_groups(rows, ANY, predicted)
        assert (group.rows == rows.right).all() and (other.rows == ~rows.right).all()
    chosen = np.arange(len(rows)) < SIX
    group, other = chosen_groups(chosen, "these")
    assert (len(group), len(other)) == (SIX, len(rows) - SIX)


def test_rows_as_a_table(rows) -> None:
    some = rows.select(np.arange(SIX))
    table = rows_as_table(some, {"brightness": np.arange(SIX, dtype=np.float32)})
    assert list(table) == [
        "row", "image_sha256", "label", "predicted", "right", "confidence", "brightness",
    ]  # fmt: skip
    assert (table["right"] == (table["label"] == table["predicted"])).all()
    assert table["brightness"].tolist() == [0, 1, 2, 3, 4, 5]
