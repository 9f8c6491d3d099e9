"""The deck: one message a slide, the same in the browser and in PowerPoint."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from drawn_evidence import save_evidence, save_parts, save_robustness
from pptx import Presentation
from pptx.enum.chart import XL_CHART_TYPE
from synthetic import save_evaluation

from fervt.cli import report
from fervt.evaluation.atlas import summarize_regions
from fervt.evaluation.robustness import curves
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.slices import Slice, Worst, search_slices
from fervt.evaluation.summary import summarize
from fervt.evaluation.words import describe_verdict, worst_mistakes
from fervt.labels import FER2013, FERPLUS, NOTICE, expression
from fervt.metrics import Difference
from fervt.reports.deck import build_deck
from fervt.reports.deck_parts import Bars, Lines, Picture
from fervt.reports.slides import write_slides


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    return [
        read_evaluation(save_evaluation(folder / name, name, seed=i, skill=2 + i))
        for i, name in enumerate(("alpha", "beta"))
    ]


@pytest.fixture(scope="module")
def deck(pair):
    return build_deck(pair[1], against=pair[0])


def test_the_first_slide_is_the_answer_and_the_last_its_limits(pair, deck):
    scores = pair[1].rows().scores
    assert deck[0].message.startswith(f"Right on {scores.accuracy:.1%} of 240 faces")
    assert isinstance(deck[0].chart, Bars) and deck[0].chart.marked == "beta"
    assert deck[0].chart.series["Accuracy"][0] == scores.accuracy
    assert deck[-1].points[0] == NOTICE


def test_every_slide_has_one_message_and_something_to_say(deck):
    assert len({slide.message for slide in deck}) == len(deck) >= 7
    assert all(slide.message and slide.say for slide in deck)
    assert all(
        (slide.chart is None or isinstance(slide.chart, Picture)) == bool(slide.points)
        for slide in deck
    )


@pytest.mark.parametrize(("threshold", "said"), [(0.7, True), (0.0, False)])
def test_sure_means_what_it_means_on_every_page(pair, monkeypatch, threshold, said):
    monkeypatch.setattr("fervt.evaluation.certainty.find_threshold", lambda *_: threshold)
    found = [s for s in build_deck(pair[1]) if s.message.startswith("When at least 70% sure")]
    assert len(found) == said
    rows = pair[1].rows()
    coverage = (rows.calibrated.max(axis=1) >= 0.7).mean()
    assert not said or found[0].say.startswith(f"It then answers for {coverage:.0%} of the faces")


def test_mistakes_are_counted_and_ranked(pair, deck):
    rows = pair[1].rows()
    found = worst_mistakes(rows.scores, 3)
    counts = [mistake.count for mistake in found]
    assert counts == sorted(counts, reverse=True)
    worst = found[0]
    names = {expression(c).name: i for i, c in enumerate(rows.classes)}
    label, answer = names[worst.label], names[worst.answer]
    assert worst.count == int(((rows.labels == label) & (rows.predicted == answer)).sum())
    assert worst.support == int((rows.labels == label).sum())
    assert any(f"{worst.label} taken for {worst.answer}" in slide.message for slide in deck)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Two evaluations with evidence and robustness."""
    folder, found = tmp_path_factory.mktemp("measured"), []
    for i, name in enumerate(("alpha", "beta")):
        place = save_evaluation(folder / name, name, seed=i, skill=2 + i)
        save_evidence(place, seed=i, template=bool(i))
        save_robustness(place, seed=i)
        found.append(read_evaluation(place))
    return found


def test_atlas_slices_and_robustness_have_a_slide_each(measured, deck) -> None:
    more = build_deck(measured[1], against=measured[0])
    said = {slide.message for slide in deck}
    added = [slide for slide in more if slide.message not in said]
    mean, apart, slices, robust, both_look, both_stand = added
    assert mean.message == "The GWA map is nearly the same on every face"
    assert isinstance(mean.chart, Picture) and mean.chart.png.startswith(b"\x89PNG")
    assert mean.points[0].startswith("GWA, × average: most on the ")
    assert "nearly the same for everybody" in mean.points[1]
    other = next(s for s in build_deck(measured[0]) if isinstance(s.chart, Picture))
    assert other.message == "The GWA map depends on the face"

    evaluation = measured[1]
    rows, evidence = evaluation.rows(), evaluation.evidence()
    maps = evidence.maps["gwa"].astype(np.float32)
    wrong = summarize_regions(maps[~rows.right])
    assert apart.message == "When it is wrong, it looks more at the mouth than when it is right"
    np.testing.assert_allclose(apart.chart.series["Wrong answers"], wrong.value, rtol=1e-5)
    assert apart.chart.measure == both_look.chart.measure == "GWA, × average"

    worst = search_slices(evidence, rows)
    assert slices.chart.series["Accuracy"][:2] == (rows.right.mean(), worst.slices[0].accuracy)
    found = evaluation.robustness()
    by_kind = curves(found, evaluation.plain["label"].to_numpy()[found.positions])
    accuracies = sorted(points[3].accuracy for points in by_kind.values())
    assert list(robust.chart.series["Accuracy"][1:]) == accuracies
    assert "What hurts it most" in robust.message and "Mean corruption error" in robust.say

    assert list(both_look.chart.series) == list(both_stand.chart.series) == ["alpha", "beta"]
    assert "Under corruption" in both_stand.message
    file = Presentation(BytesIO(write_slides("beta", more)))
    page = list(file.slides)[1 + more.index(mean)]
    pictures = [shape for shape in page.shapes if shape.name == "Picture"]
    assert pictures[0].image.blob == mean.chart.png
    assert mean.points[0] in " ".join(s.text_frame.text for s in page.shapes if s.has_text_frame)


def test_what_the_parts_contribute_has_a_slide(tmp_path) -> None:
    place = save_evaluation(tmp_path / "alpha")
    before = build_deck(read_evaluation(place))
    found = save_parts(place)
    added = [s for s in build_deck(read_evaluation(place)) if s not in before]
    (slide,) = added
    assert slide.message == "With GWA off, it loses 10.0 points"
    assert slide.chart.categories == ("The whole model", "The mean map", "GWA off")
    assert slide.chart.series["Accuracy"] == (
        found.accuracy, found.accuracy, found.accuracy - 0.1,
    )  # fmt: skip
    assert slide.chart.marked == "GWA off"
    assert "n = 240, FER2013 labels" in slide.say and "follows the face" in slide.say
    save_parts(place, cost=0.005)
    (unclear,) = [s for s in build_deck(read_evaluation(place)) if s not in before]
    assert unclear.message == "None of these changes clearly costs accuracy"
    assert unclear.chart.marked is None
    evaluation = read_evaluation(place)
    others = build_deck(evaluation, evaluation.rows(averaging="flip"), rule="Averaged.")
    assert unclear.message not in {s.message for s in others}  # it is of other answers


def test_slides_are_of_the_rows_that_count(measured) -> None:
    evaluation = measured[1]
    rows = evaluation.rows().select(np.arange(100))
    mean = next(s for s in build_deck(evaluation, rows) if isinstance(s.chart, Picture))
    assert "over 100 faces" in mean.say


def test_the_mean_face_is_what_the_checkpoint_sees_of_it(tmp_path):
    folder = save_evaluation(tmp_path / "own" / "PrivateTest", "own")
    evidence = save_evidence(folder)
    ringed = np.full((48, 48), 127, np.uint8)
    ringed[:12] = ringed[-12:] = ringed[:, :12] = ringed[:, -12:] = 255

    def picture(crop: float, face: np.ndarray) -> bytes:
        replace(evidence, crop=crop, mean_face=face).write(folder)
        deck = build_deck(read_evaluation(folder))
        return next(s.chart.png for s in deck if isinstance(s.chart, Picture))

    gray = np.full((48, 48), 127, np.uint8)
    assert picture(0.4, ringed) == picture(0.4, gray)
    assert picture(0.6, ringed) != picture(0.6, gray)


def test_slides_hold_native_charts_with_the_decks_numbers_and_the_words_in_the_notes(deck):
    now = datetime(2026, 3, 4, tzinfo=UTC)
    file = Presentation(BytesIO(write_slides("beta on PrivateTest", deck, now)))
    pages = list(file.slides)
    assert "March 4, 2026" in " ".join(s.text_frame.text for s in pages[0].shapes)
    assert len(pages) == len(deck) + 1
    for slide, page in zip(deck, pages[1:], strict=True):
        assert page.shapes[0].text_frame.text == slide.message
        assert page.notes_slide.notes_text_frame.text == slide.say
        charts = [shape.chart for shape in page.shapes if shape.has_chart]
        if isinstance(slide.chart, Bars):
            assert charts[0].chart_type == XL_CHART_TYPE.BAR_CLUSTERED
            assert charts[0].chart_title.text_frame.text == slide.chart.measure
            assert list(charts[0].plots[0].categories) == list(slide.chart.categories)
            for series, values in zip(
                charts[0].plots[0].series, slide.chart.series.values(), strict=True
            ):
                np.testing.assert_allclose(series.values, values)
        elif isinstance(slide.chart, Lines):
            assert [s.name for s in charts[0].plots[0].series] == list(slide.chart.series)
        else:
            assert not charts


def test_the_command_writes_slides_or_a_page_by_the_files_ending(tmp_path, pair, monkeypatch):
    import argparse

    folder = save_evaluation(tmp_path / "alpha", "alpha")
    for name, start in (("deck.pptx", b"PK"), ("page.html", b"<!")):
        parser = argparse.ArgumentParser()
        report.add_arguments(parser)
        given = ["--checkpoint", str(folder), "--out", str(tmp_path / name)]
        assert report.run(parser.parse_args(given)) == 0
        assert (tmp_path / name).read_bytes().lstrip().startswith(start)


@pytest.mark.parametrize(
    ("difference", "truth", "said"),
    [
        (
            Difference(0.126, 0.11, 0.14),
            FERPLUS,
            "On FER+ labels, new is clearly better than old: 87.2% against 74.6%",
        ),
        (
            Difference(-0.126, -0.14, -0.11),
            FER2013,
            "On FER2013 labels, old is clearly better than new: 74.6% against 87.2%",
        ),
        (
            Difference(0.01, -0.01, 0.03),
            FER2013,
            "On FER2013 labels, old and new are about equal: 74.6% and 87.2%",
        ),
    ],
)
def test_a_verdict_names_the_better_one_or_neither(difference, truth, said):
    assert describe_verdict(("old", "new"), (0.746, 0.872), difference, truth) == said


def test_other_labels_or_rules_are_not_held_against_people_and_tools(pair):
    evaluation = pair[1]
    plain = build_deck(evaluation)[0]
    assert "People reach" in plain.say and "by FER2013's labels" in plain.say
    ferplus = build_deck(evaluation, evaluation.rows(truth=FERPLUS), truth=FERPLUS)[0]
    assert "People reach" not in ferplus.say and "by FER+'s labels" in ferplus.say
    assert "facex" not in " ".join(ferplus.chart.categories)
    mirrored = build_deck(evaluation, evaluation.rows(averaging="flip"), rule="Averaged.")[0]
    assert "People reach" not in mirrored.say and mirrored.say.endswith("Averaged.")
    assert mirrored.chart.measure.endswith(". Averaged.")  # also for those who see no notes


def test_a_slice_by_two_measures_is_named_by_both(measured, monkeypatch):
    title = "dark (brightness 0 to 86); blurred (sharpness 0 to 34)"
    worst = Worst((Slice(title, np.ones(240, bool), 40, 0.3, 0.2, 0.4, 0.001),), 10)
    assert worst.slices[0].is_clear
    monkeypatch.setattr("fervt.reports.deck_evidence.search_slices", lambda *_: worst)
    messages = [slide.message for slide in build_deck(measured[1])]
    assert "Its weakest slice: dark; blurred, 30% right" in messages


def test_with_few_faces_no_slide_says_what_holds_for_all(tmp_path):
    folder = save_evaluation(tmp_path / "few", count=10)
    save_evidence(folder)
    messages = [slide.message for slide in build_deck(read_evaluation(folder))]
    assert "The mean GWA map of 10 faces" in messages
    assert not any("every face" in m or "depends on" in m for m in messages)


def test_one_class_is_not_best_and_weakest(tmp_path):
    saved = read_evaluation(save_evaluation(tmp_path / "one"))
    only = saved.rows().select(saved.rows().labels == 3)
    assert "All faces are labeled Happy" in [s.message for s in build_deck(saved, only)]
    said = " ".join(summarize(saved, only, FER2013))
    assert "best at" not in said and "Its most frequent mistake is" in said


def test_checkpoints_that_withstand_the_same_are_about_equal(measured):
    (message,) = (
        slide.message
        for slide in build_deck(measured[1], against=measured[1])
        if slide.message.startswith("Under corruption")
    )
    assert "are about equal" in message
