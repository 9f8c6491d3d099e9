"""The Compare page and the model card without a browser, on drawn evaluations."""

import re
from dataclasses import replace

import numpy as np
import pytest
import tiny
from drawn_evidence import save_five_crop
from scipy.stats import binomtest
from synthetic import save_evaluation

from fervt.data.prepared import write_prepared
from fervt.evaluation.metrics import read_metrics
from fervt.evaluation.run import evaluate_checkpoint
from fervt.evaluation.same_map import SameMap
from fervt.evaluation.saved import read_evaluation
from fervt.figures.overlay import overlay_figure
from fervt.files import file_sha256
from fervt.labels import FER2013, FERPLUS, VOCABULARIES, expression
from fervt.predict import Predictor
from fervt.ui.bars import bars_html
from fervt.ui.compare.face import EVERY, align
from fervt.ui.text import as_text

TABS = [
    "Figures",
    "Classes",
    "Gains and losses",
    "Confidence",
    "Where they look",
    "Robustness",
    "Cost",
    "One face",
]


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch, checkpoints):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    monkeypatch.setattr("fervt.ui.compare.selection.shipped_checkpoints", lambda: checkpoints)
    monkeypatch.delenv("FERVT_DATA", raising=False)
    return tmp_path


@pytest.fixture
def pair(shelf):
    return [
        read_evaluation(save_evaluation(shelf / name / "PrivateTest", name, seed=i, skill=2 + i))
        for i, name in enumerate(("alpha", "beta"))
    ]


def text_of(app) -> str:
    return "\n".join(m.value for m in (*app.markdown, *app.caption, *app.info, *app.error))


def test_mcnemar_and_differences(open_page, pair) -> None:
    app = open_page("compare", checkpoint="alpha")
    a, b = (evaluation.rows() for evaluation in pair)
    fixed, broken = int((~a.right & b.right).sum()), int((a.right & ~b.right).sum())
    p = binomtest(fixed, fixed + broken).pvalue
    text = text_of(app)
    assert f"beta gets {fixed} faces right that alpha got wrong, and {broken} the other" in text
    assert ("p below 0.001" if p < 0.001 else f"p = {p:.3f}") in text
    assert "240 of 240 faces (100.0%) were joined" in text
    shown = app.table[0].value
    assert shown["Accuracy"][1].startswith(f"{100 * b.scores.accuracy:.1f}%")
    gain = b.scores.accuracy - a.scores.accuracy
    assert shown["Difference in points"][1].startswith(f"{100 * gain:+.1f} (")


def test_the_verdict_comes_first_in_words(open_page, pair) -> None:
    app = open_page("compare", checkpoint="alpha")
    a, b = (evaluation.rows().scores.accuracy for evaluation in pair)
    said = f"On FER2013 labels, beta is clearly better than alpha: {b:.1%} against {a:.1%}."
    assert app.subheader[0].value == said
    assert "Measured on the 240 faces that all of them answered" in text_of(app)


def test_five_crops_are_compared_where_all_have_them(open_page, pair) -> None:
    def offered(app) -> list[str]:
        return next(g.options for g in app.button_group if g.label == "Average predictions")

    save_five_crop(pair[0].origin)
    app = open_page("compare", checkpoint="alpha", tta="five-crop")
    assert offered(app) == ["No", "Mirror image"]
    assert "averaged" not in text_of(app)
    assert "Five crops of beta were not measured" in text_of(app)
    save_five_crop(pair[1].origin, seed=4)
    app = open_page("compare", checkpoint="alpha", tta="five-crop")
    assert offered(app) == ["No", "Mirror image", "Five crops"]
    rows = read_evaluation(pair[1].origin).rows(averaging="five-crop")
    assert app.table[0].value["Accuracy"][1].startswith(f"{100 * rows.scores.accuracy:.1f}%")
    assert "averaged over five crops of the face, none of them mirrored." in text_of(app)
    assert "were not measured" not in text_of(app)


def test_cost_is_measured_in_turns_and_anew_on_request(open_page, pair, monkeypatch) -> None:
    app = open_page("compare", checkpoint="alpha", view="Cost")
    shown = app.table[0].value
    assert list(shown["Engine"]) == ["PyTorch", "PyTorch"]
    assert all(" to " in ms for ms in shown["ms"])
    seen = []
    monkeypatch.setattr(
        "fervt.predict.Predictor.warm_up", lambda predictor: seen.append(predictor.name)
    )
    app.run()
    assert not seen, "measured once"
    next(b for b in app.button if b.label == "Measure again").click().run()
    assert seen == ["alpha", "beta"]


@pytest.mark.parametrize("section", ["Classes", "Gains and losses", "Confidence", "Cost"])
def test_every_section_stands(open_page, pair, section: str) -> None:
    app = open_page("compare", checkpoint="beta", view=section)
    assert not app.error


def test_fixed_and_broken_are_the_right_rows(open_page, pair) -> None:
    app = open_page("compare", checkpoint="alpha", view="Gains and losses")
    a, b = (evaluation.rows() for evaluation in pair)
    numbers = a.table["row"].to_numpy()
    fixed, broken = (set(frame.value["Row"]) for frame in app.dataframe)
    assert fixed == set(numbers[~a.right & b.right])
    assert broken == set(numbers[a.right & ~b.right])


def test_one_face_goes_through_both(open_page, pair) -> None:
    app = open_page("compare", checkpoint="alpha", view="One face", image="astronaut")
    text = text_of(app)
    assert "**alpha**:" in text
    assert "**beta**:" in text
    assert "no such class" not in text


def test_a_map_that_is_the_same_for_all_is_called_so_below_both_graphs(
    open_page, pair, checkpoints, monkeypatch
) -> None:
    alpha = Predictor(checkpoints["alpha"]).sha256
    found = SameMap("Nearly the same for every face.", "Over 240 faces.")
    monkeypatch.setattr("fervt.ui.same_map._find", {alpha: found}.get)
    app = open_page("compare", checkpoint="alpha", view="One face", image="astronaut")
    columns = [c for c in app.columns if c.get("plotly_chart")]
    kinds = [[each.type for each in column.children.values()] for column in columns]
    assert [each.value for each in columns[0].caption] == ["GWA: nearly the same for every face."]
    assert kinds[0][:-1] == kinds[1], "the graphs stand beside each other"


def test_the_maps_of_one_face_share_their_colors(open_page, pair, monkeypatch) -> None:
    drawn = []

    def keep(picture, values, **options):
        drawn.append((float(values.max()), options["range_"]))
        return overlay_figure(picture, values, **options)

    monkeypatch.setattr("fervt.ui.compare.face.overlay_figure", keep)
    open_page("compare", checkpoint="alpha", view="One face", image="astronaut")
    tops, ranges = zip(*drawn, strict=True)
    assert len(set(tops)) == 2
    assert set(ranges) == {(1.0, max(2.0, *tops))}


def test_one_face_has_one_order_of_classes_for_all(
    open_page, checkpoints, monkeypatch, tmp_path
) -> None:
    config = replace(tiny.CONFIG, vocabulary="ferplus")
    both = {**checkpoints, "beta": tiny.save_tiny(tmp_path / "beta.safetensors", 1, config=config)}
    for module in ("compare.selection", "checkpoints"):
        monkeypatch.setattr(f"fervt.ui.{module}.shipped_checkpoints", lambda: both)
    app = open_page("compare", checkpoint="alpha", view="One face", image="astronaut")
    bars = [b.proto.body for b in app.get("html") if "class='fervt-bars'" in b.proto.body]
    names = [re.findall(r"<(?:b|span)>([A-Z][a-z]+)</", drawn) for drawn in bars]
    assert names == 2 * [[*FER2013.display_names, "Contemptuous"]]
    assert "–" in bars[0] and "–" not in bars[1]
    assert "A dash: the checkpoint has no such class." in text_of(app)


def test_probabilities_of_one_face_are_aligned_and_never_certain() -> None:
    assert {expression(label) for v in VOCABULARIES.values() for label in v.classes} == {
        expression(label) for label in EVERY
    }
    classes = ("neutral", "happiness", "anger", "fear")
    aligned = align(np.array([0.1, 0.2, 0.3, 0.4]), classes, EVERY)
    assert np.isnan(aligned[[1, 4, 5, 7]]).all()
    assert aligned[[0, 2, 3, 6]].tolist() == [0.3, 0.4, 0.2, 0.1]
    drawn = bars_html(np.array([0.999, 0.001, 0, 0, 0, 0, 0, np.nan]), EVERY)
    assert "&gt;99%" in drawn and "–" in drawn
    assert "Contemptuous" not in drawn.split("aria-label='")[1].split("'")[0]


def upload_own(app, path):
    app.sidebar.file_uploader[0].upload("alpha.safetensors", path.read_bytes())
    app.run()
    assert not app.exception
    return app


def show(app, section: str):
    app.query_params["view"] = section
    app.query_params["image"] = "astronaut"
    app.run()
    assert not app.exception
    return app


def test_an_own_checkpoint_is_compared_once_it_was_evaluated(
    open_page, finish_job, checkpoints, shelf, tmp_path, monkeypatch
) -> None:
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    monkeypatch.setenv("FERVT_DATA", str(tmp_path / "data.parquet"))
    data = tiny.tiny_data().split("PrivateTest")
    evaluate_checkpoint(checkpoints["beta"], data, shelf / "beta" / "PrivateTest")
    app = upload_own(open_page("compare"), checkpoints["alpha"])
    assert "alpha (yours) has to be evaluated before its figures can be compared" in text_of(app)
    assert [tab.label for tab in app.tabs] == TABS
    assert "**alpha (yours)**:" in text_of(show(app, "One face"))
    assert list(show(app, "Cost").table[0].value["Checkpoint"]) == ["alpha (yours)", "beta"]
    app = show(app, "Figures")

    app.switch_page("pages/evaluation.py")
    app.query_params["source"] = "data"
    app.query_params["data"] = "prepared"
    app.run()
    next(b for b in app.button if b.label == "Evaluate alpha (yours)").click().run()
    finish_job(app)
    app.switch_page("pages/compare.py").run()
    assert "42 of 42 faces (100.0%) were joined" in text_of(app)
    assert list(app.table[0].value["Checkpoint"]) == ["alpha (yours)", "beta"]
    app = show(app, "Cost")
    assert [row for row in app.table[0].value["Checkpoint"]] == ["alpha (yours)", "beta"]
    assert "**alpha (yours)**:" in text_of(show(app, "One face"))


def test_other_vocabularies_compare_on_common_classes(open_page, shelf) -> None:
    save_evaluation(shelf / "alpha" / "PrivateTest")
    save_evaluation(shelf / "beta" / "PrivateTest", "beta", classes=FERPLUS)
    app = open_page("compare", checkpoint="alpha", truth="ferplus")
    text = text_of(app)
    assert "Contemptuous left out" in text
    assert "beta saw FER+" not in text  # said on FER2013's labels only
    assert app.table[0].value["n"].nunique() == 1


def test_a_label_set_is_chosen_that_all_rows_have(open_page, shelf) -> None:
    save_evaluation(shelf / "alpha" / "PrivateTest")
    save_evaluation(shelf / "beta" / "PrivateTest", "beta", classes=FERPLUS)
    app = open_page("compare", checkpoint="alpha")
    assert not app.error
    assert app.table[0].value["n"].nunique() == 1
    app = open_page("compare", checkpoint="alpha", truth="fer2013")
    assert not app.error  # as the address asked for: on the faces that both have
    common = len(read_evaluation(shelf / "beta" / "PrivateTest").plain)
    assert common < 240
    assert set(app.table[0].value["n"]) == {str(common)}
    assert f"{common} of 240 faces" in text_of(app)
    assert any("not felt emotions" in caption.value for caption in app.caption)


def test_what_cannot_be_compared_is_said_in_its_place_and_no_tab_is_lost(open_page, shelf) -> None:
    def said(problem: str, **parameters: str) -> None:
        for view in ("Figures", "Robustness"):
            app = open_page("compare", checkpoint="alpha", view=view, **parameters)
            assert [tab.label for tab in app.tabs] == TABS, problem
            assert not app.error
            assert [each.value for each in app.info] == [as_text(problem)]
        app = open_page("compare", checkpoint="alpha", view="Cost", **parameters)
        names = list(app.table[0].value["Checkpoint"])
        assert "Accuracy" not in app.table[0].value and names[0] == "alpha"
        app = open_page("compare", checkpoint="alpha", view="One face", image="astronaut")
        assert "**alpha**:" in text_of(app) and "**beta**:" in text_of(app)

    said("No evaluation of alpha is saved, so there are no figures to compare.")
    save_evaluation(shelf / "alpha" / "PrivateTest")
    said("No evaluation of beta is saved. A comparison needs one of each checkpoint.")
    said("Choose one to three checkpoints to compare it with.", **{"with": ""})
    save_evaluation(shelf / "beta" / "PublicTest", "beta", split="PublicTest")
    said("They have no split in common: alpha on PrivateTest, beta on PublicTest.")
    save_evaluation(shelf / "beta" / "PrivateTest", "beta", data_seed=7)
    said(
        "Only 0 of 240 rows show the same images (0.0%); a comparison needs 95%. Choose other "
        "labels or checkpoints."
    )


def test_the_card_has_the_checkpoints_figures(open_page, shelf, checkpoints, monkeypatch) -> None:
    digest = file_sha256(checkpoints["alpha"])
    save_evaluation(shelf / "alpha" / "PrivateTest", checkpoint_sha256=digest)
    scores = read_metrics(shelf / "alpha" / "PrivateTest").standard
    monkeypatch.setattr("fervt.ui.checkpoints.shipped_checkpoints", lambda: checkpoints)
    monkeypatch.setattr("fervt.checkpoint.shipped_checkpoints", lambda: checkpoints)
    app = open_page("model_card", checkpoint="alpha")
    text = text_of(app)
    assert f"**{scores.accuracy:.1%}** of the answers" in text
    assert f"macro-F1 {scores.macro_f1:.3f}" in text
    assert "not felt emotions" in text
    assert "{{" not in text
    assert scores.n == 240
