import numpy as np
import pytest

from fervt.figures.probabilities import plot_probabilities
from fervt.labels import FER2013, FERPLUS


@pytest.mark.parametrize("vocabulary", [FER2013, FERPLUS], ids=["seven", "eight"])
def test_bars_follow_the_vocabulary_in_its_order_and_colors(vocabulary):
    percent = np.arange(1, len(vocabulary) + 1, dtype=np.float32)
    figure = plot_probabilities(percent / percent.sum(), vocabulary.classes)
    (bars,) = figure.data
    names = [name.removeprefix("<b>").removesuffix("</b>") for name in bars.y]
    assert tuple(names) == vocabulary.display_names
    assert tuple(bars.marker.color) == vocabulary.colors
    assert np.allclose(bars.x, 100 * percent / percent.sum())
    assert figure.layout.yaxis.autorange == "reversed", "the first class stands on top"


def test_the_leading_class_stands_out():
    figure = plot_probabilities(np.array([0, 0.1, 0, 0.9, 0, 0, 0]), FER2013.classes)
    (bars,) = figure.data
    assert [i for i, name in enumerate(bars.y) if name.startswith("<b>")] == [3]
    assert bars.text[3] == "<b>90%</b>" and bars.text[1] == "10%"
    assert np.argmax(bars.marker.opacity) == 3


def test_a_certain_answer_keeps_its_label():
    figure = plot_probabilities(np.eye(7)[2], FER2013.classes)
    assert figure.data[0].cliponaxis is False
    assert figure.data[0].text[:3] == ("&lt;1%", "&lt;1%", "<b>&gt;99%</b>"), "no answer is certain"
    assert list(figure.layout.xaxis.range) == [0, 100]
    assert figure.layout.margin.r >= 50
