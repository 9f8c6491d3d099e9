"""Figures of evaluations: text that can be read, and nothing of it cut off."""

import numpy as np
import plotly.graph_objects as go
import pytest

from fervt.figures.comparison import accuracy_figure
from fervt.figures.curves import faithfulness_figure
from fervt.figures.evaluation_bars import change_figure, class_figure, votes_figure
from fervt.figures.evaluation_confusion import (
    agreement_figure,
    confusion_change_figure,
    confusion_figure,
)
from fervt.figures.evaluation_curves import (
    reliability_figure,
    risk_figure,
    threshold_figure,
    training_figures,
)
from fervt.figures.evaluation_map import map_figure
from fervt.figures.ink import cell_color, contrast, text_on, write_in
from fervt.figures.robustness import strength_figure
from fervt.labels import FER2013

MODES = {"light": ("#1E2033", (255, 255, 255)), "dark": ("#E7E8F3", (19, 20, 31))}
NAMES = [f"class-{i}" for i in range(9)]
SHARES = np.linspace(0, 1, 81).reshape(9, 9)
HISTORY = [
    {"epoch": e, "train_loss": 2 / e, "public_loss": 3 / e, "train_accuracy": 0.1 * e,
     "public_accuracy": 0.09 * e, "learning_rate": 0.01 / e}
    for e in range(1, 6)
]  # fmt: skip


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def seen_colors(figure: go.Figure, page: tuple[int, int, int]) -> list[np.ndarray]:
    """The colors of a matrix's cells on a page, row by row, by the scale that the browser gets."""
    heatmap = figure.data[0]
    at = [stop[0] for stop in heatmap.colorscale]
    stops = [
        [float(v) for v in stop[1].split("(")[1].rstrip(")").split(",")]
        for stop in heatmap.colorscale
    ]
    shares = (np.ravel(heatmap.z) - heatmap.zmin) / (heatmap.zmax - heatmap.zmin)
    red, green, blue, alpha = (np.interp(shares, at, c) for c in np.transpose(stops))
    over = np.stack([red, green, blue], axis=1)
    return list(alpha[:, None] * over + (1 - alpha[:, None]) * np.array(page))


def test_contrast_is_that_of_wcag():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((255, 255, 255), rgb("#767676")) == pytest.approx(4.54, abs=0.005)
    assert contrast((90, 20, 7), (90, 20, 7)) == 1


def test_a_cells_color_is_blended_with_the_page():
    scale = ((0.0, "rgba(0,100,200,0)"), (0.5, "rgba(10,100,200,0.5)"), (1.0, "rgb(50,60,70)"))
    np.testing.assert_allclose(cell_color(scale, 0, "#FF8000"), (255, 128, 0))
    np.testing.assert_allclose(cell_color(scale, 0.5, "#FF8000"), (132.5, 114, 100))
    np.testing.assert_allclose(cell_color(scale, 1, "#FF8000"), (50, 60, 70))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "draw",
    [
        lambda ink: confusion_figure(np.rint(1e4 * SHARES).astype(int), NAMES, ink=ink),
        lambda ink: confusion_change_figure(2 * SHARES - 1, NAMES, ink),
        lambda ink: confusion_change_figure(0.2 * SHARES, NAMES, ink),
        lambda ink: agreement_figure(SHARES, NAMES, ink),
    ],
    ids=["confusion", "change", "small change", "agreement"],
)
def test_every_number_can_be_read_on_its_cell(draw, mode):
    ink, page = MODES[mode]
    figure = draw(ink)
    numbers = figure.layout.annotations
    assert len(numbers) == 81
    for number, cell in zip(numbers, seen_colors(figure, page), strict=True):
        assert contrast(rgb(number.font.color), cell) >= 4.5
    assert figure.layout.xaxis.tickfont.color == figure.layout.yaxis.tickfont.color == ink


def test_on_an_unknown_page_only_white_is_fixed():
    figure = confusion_change_figure(2 * SHARES - 1, NAMES)
    colors = [number.font.color for number in figure.layout.annotations]
    assert set(colors) == {"#FFFFFF", None}
    assert figure.layout.font.color is None
    own, white = (
        np.min([
            [contrast(rgb(text or ink), cell) for cell in seen_colors(figure, page)]
            for ink, page in MODES.values()
        ], axis=0)
        for text in (None, "#FFFFFF")
    )  # fmt: skip
    np.testing.assert_array_equal([color is None for color in colors], own >= white)
    assert np.maximum(own, white).min() > 3.7


def test_one_ink_is_readable_on_every_color():
    for level in range(256):
        scale = ((0.0, "rgb(9,9,9)"), (1.0, f"rgb({level},{level},{level})"))
        chosen = text_on(scale, 1, MODES["light"][0])
        assert contrast(rgb(chosen), (level,) * 3) >= 4.5


def test_all_text_on_the_page_has_its_ink():
    figure = write_in(training_figures(HISTORY, 3)["Loss"], "#123456")
    layout = figure.layout
    assert (
        layout.font.color == layout.legend.font.color == layout.hoverlabel.font.color == "#123456"
    )
    for axis in (layout.xaxis, layout.yaxis):
        assert axis.tickfont.color == axis.title.font.color == "#123456"


def test_a_last_percentage_is_not_cut_off():
    x = np.linspace(0, 1, 4)
    figures = [
        threshold_figure({"happy": (x, x, 0.5)}, "x", "y", diagonal=True),
        reliability_figure({"a": (x, x, np.ones(4, int))}),
        risk_figure({"a": (x, x)}),
        faithfulness_figure(x, {"a": x}, {"a": x}, np.ones((2, 4)), np.ones((2, 4)), "p"),
        *training_figures(HISTORY, 3).values(),
    ]
    assert all(figure.layout.margin.r >= 16 for figure in figures)


def test_an_axis_of_shares_that_spans_a_few_points_has_numbers_that_differ():
    x = np.array([0.681, 0.688])
    axes = [
        accuracy_figure(["a", "b"], x, [(0.67, 0.69), (0.68, 0.7)]).layout.xaxis,
        class_figure(["fear", "sad"], x, x, x).layout.xaxis,
        strength_figure(["none", "more"], {"a": (x, None, None)}, range_=None).layout.yaxis,
        training_figures(HISTORY, 3)["Accuracy"].layout.yaxis,
    ]
    for axis in axes:
        (stop,) = axis.tickformatstops
        assert stop.value == ".1%" and stop.dtickrange[1] < 0.01, "of the distance of its numbers"


def test_long_names_of_checkpoints_break_into_lines():
    names = ["ablation-without-gnn", "alone", "a_very_long_name.v2", "unbreakablebutlong"]
    axis = agreement_figure(np.eye(4), names).layout.xaxis
    assert list(axis.ticktext) == [
        "ablation-<br>without-<br>gnn",
        "alone",
        "a_very_<br>long_name.<br>v2",
        "unbreakablebutlong",
    ]
    assert axis.tickangle == 0


def test_training_is_three_figures():
    parts = training_figures(HISTORY, 3)
    assert list(parts) == ["Loss", "Accuracy", "Learning rate"]
    assert parts["Accuracy"].layout.yaxis.tickformat == ".0%"
    assert parts["Loss"].layout.yaxis.tickformat is None
    assert [len(part.layout.shapes) for part in parts.values()] == [1, 1, 0]


def test_the_chosen_point_has_a_ring_of_two_tones():
    positions = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    figure = map_figure(
        positions, np.array([0, 1, 1]), ["a", "b"], ["#111111", "#222222"], ["x", "y", "z"], 1
    )
    outer, inner = figure.data[-2:]
    assert (outer.x[0], inner.x[0]) == (2, 2) and outer.y == inner.y
    assert outer.marker.line.width > inner.marker.line.width
    assert outer.marker.color != inner.marker.color


def test_four_models_and_the_annotators_are_all_drawn():
    names = ["a", "b", "c", "d", "annotators"]
    figure = votes_figure(FER2013.classes, np.eye(5, 7), names)
    assert [bar.name for bar in figure.data] == names
    assert len({bar.marker.color for bar in figure.data}) == 5


def test_changes_are_in_points_and_have_no_sign_at_zero():
    values = np.array([-0.0002, 0.031])
    figure = change_figure(("happy", "sad"), [values], [(values - 0.1, values + 0.1)], ["new"])
    assert figure.layout.xaxis.tickformat == "", "no percent signs"
    assert list(figure.data[0].text) == ["0.0 points", "+3.1 points"]
    drawn = confusion_change_figure(np.array([[-0.0002, 0.0002], [0.1, -0.1]]), ["a", "b"])
    texts = [note.text for note in drawn.layout.annotations] or drawn.data[0].text
    assert "-0.0" not in str(texts) and "+0.0" not in str(texts) and "+10.0" in str(texts)
