"""Charts on slides: nothing is cut off, however long a name and however narrow the screen."""

import pytest

from fervt.figures.deck import bars_figure, in_lines


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("facial_emotion_recognition 0.3.4", ["facial_emotion_", "recognition 0.3.4"]),
        ("Fearful → Surprised", ["Fearful →", "Surprised"]),
        ("fervt-narrow", ["fervt-narrow"]),
        ("onewordthatislongerthanaline", ["onewordthatislongerthanaline"]),
        ("", [""]),
    ],
)
def test_long_names_are_broken_where_a_word_ends(name: str, lines: list[str]) -> None:
    assert in_lines(name).split("<br>") == lines


def test_values_have_room_beside_the_longest_bar() -> None:
    figure = bars_figure(["one", "another_name_of_some_length"], {"share": [0.5, 1.0]}, True)
    assert list(figure.layout.yaxis.ticktext) == ["one", "another_name_of_<br>some_length"]
    assert figure.layout.xaxis.range == (0, 1.0) and figure.layout.margin.r >= 90
    assert list(figure.data[0].text) == ["50.0%", "100.0%"]
