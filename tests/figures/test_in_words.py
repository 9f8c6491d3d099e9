"""Charts in one sentence: the sentence names what the eye would find."""

import numpy as np
import pytest

from fervt.figures import in_words

TWO = "{:.2f}".format


def test_every_value_is_listed_by_name():
    said = in_words.list_values("Accuracy", ["first", "People"], [0.7, 0.65], "{:.0%}".format)
    assert said == "Accuracy: first 70%, People 65%"


def test_the_extremes_are_named_and_missing_values_are_not():
    values = np.array([0.5, np.nan, 0.9, 0.2])
    said = in_words.say_extremes("F1", ["fear", "none", "happy", "sad"], values, TWO)
    assert said == "F1: highest for happy (0.90), lowest for sad (0.20)"


@pytest.mark.parametrize(
    ("values", "said"), [([np.nan], "F1: no values"), ([0.25], "F1: happy 0.25")]
)
def test_one_value_or_none_makes_no_superlative(values, said):
    assert in_words.say_extremes("F1", ["happy"], np.array(values), TWO) == said


def test_the_largest_cell_may_be_negative_and_may_leave_out_the_diagonal():
    values = np.array([[0.9, 0.1], [-0.4, 0.6]])
    names = ["fear", "sad"]
    assert "from fear to fear (0.90)" in in_words.say_largest_cell("C", names, names, values, TWO)
    off = in_words.say_largest_cell("C", names, names, values, TWO, diagonal=False)
    assert off == "C: most from sad to fear (-0.40)"
    assert values[0, 0] == 0.9  # the caller's matrix is as it was


def test_a_map_over_the_face_names_the_region_and_another_raster_only_the_place():
    face, raster = np.zeros((7, 7)), np.zeros((6, 6))
    face[5, 3] = raster[0, 2] = 1.5
    assert in_words.say_map("GWA", face, TWO) == "GWA: most on the mouth, in row 5, column 3 (1.50)"
    assert in_words.say_map("L3", raster, TWO) == "L3: most in row 0, column 2 (1.50)"


def test_regions_of_each_group_are_said():
    low, high = np.arange(8.0), np.arange(8.0)[::-1]
    said = in_words.say_regions({"Right": (low, low, low), "Wrong": (high,)}, TWO)
    assert said == (
        "Right: highest for surroundings (7.00), lowest for forehead (0.00); "
        "Wrong: highest for forehead (7.00), lowest for surroundings (0.00)"
    )


def test_the_strongest_edge_is_never_a_loop():
    index = np.array([[0, 0, 38], [0, 1, 45]])
    said = in_words.say_edges("Graph", index, np.array([9.0, 1.0, 2.0]))
    assert said == "Graph: strongest from Mouth (row 5, column 3) to Chin (row 6, column 3)"


def test_reliability_weighs_the_bins_by_their_faces():
    bins = (np.array([0.5, 0.9, np.nan]), np.array([0.4, 0.8, np.nan]), np.array([1, 3, 0]))
    said = in_words.say_reliability({"a": bins})
    assert said.endswith("a, 80% sure on average and right on 70%")


def test_risk_is_said_of_all_and_of_the_surer_half():
    curve = (np.array([0.25, 0.5, 1.0]), np.array([0.0, 0.1, 0.3]))
    said = in_words.say_risk({"a": curve})
    assert said.endswith("a is wrong on 30% of all faces and on 10% of the surer half")


def test_the_leader_is_said_from_step_to_step():
    values = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
    said = in_words.say_leaders("Blur", ["0", "1", "2"], ["Happy", "Sad"], values)
    assert said == "Blur: Happy leads from 0 to 1, then Sad to 2"


def test_a_course_goes_from_the_first_to_the_last_known_value():
    curves = {"Training": [None, 0.3, 0.7, None], "PublicTest": [None]}
    assert in_words.say_course("A", curves, TWO) == "A: Training from 0.30 to 0.70"
    assert in_words.say_course("A", {"Training": []}, TWO) == "A: no values"


def test_the_sentence_holds_every_figure():
    said = in_words.say_people([1500, 500], ["the label", "the model"])
    assert said == (
        "Whom the annotators side with in 2,000 errors: the label, 1,500 (75%); "
        "the model, 500 (25%)."
    )


def test_no_errors_divide_nothing():
    assert (
        in_words.say_people([0, 0], ["a", "b"])
        == "There are no errors to ask the annotators about."
    )


def test_no_mistakes_are_none() -> None:
    assert in_words.say_mistakes(["Sad", "Happy"], np.eye(2)).endswith(": none")
