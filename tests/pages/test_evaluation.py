"""The Evaluation page without a browser, on drawn evaluations."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
import tiny
from drawn_evidence import save_five_crop
from job_works import give_back
from synthetic import save_evaluation
from zips import labeled_zip, png, zip_of

from fervt.data.prepared import PreparedData, write_prepared
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.parts_report import (
    ANOTHERS,
    GNN_OFF,
    TOKEN_KEPT,
    Following,
    PartChange,
    PartsReport,
    hash_labels,
)
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.sources import evaluate_archive
from fervt.labels import FERPLUS
from fervt.predict import Predictor
from fervt.reports.evaluation import build_report
from fervt.ui.jobs import server_jobs
from fervt.ui.text import as_text


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    monkeypatch.delenv("FERVT_DATA", raising=False)
    return tmp_path


@pytest.fixture
def saved(shelf):
    return read_evaluation(save_evaluation(shelf / "alpha" / "PrivateTest"))


@pytest.fixture
def with_faces(shelf, tmp_path, monkeypatch):
    """An evaluation of drawn faces, and their prepared file."""
    labels = np.arange(30) % 7
    data = PreparedData.from_rows(
        tiny.draw_faces(labels, 1),
        np.arange(30) + 32298,
        np.repeat("PrivateTest", 30),
        labels,
        np.tile(np.array([0, 3, 0, 5, 0, 0, 1, 0, 1, 0], np.uint8), (30, 1)),
        "as drawn",
        "drawn",
    )
    write_prepared(data, tmp_path / "faces.parquet")
    monkeypatch.setenv("FERVT_DATA", str(tmp_path / "faces.parquet"))
    folder = save_evaluation(shelf / "alpha" / "PrivateTest", count=30, shas=data.sha256.tolist())
    return read_evaluation(folder)


def metric(app, title: str) -> str:
    return next(m.value for m in app.metric if m.label == title)


def buttons(app) -> list[str]:
    return [button.label for button in app.button]


def test_headline_is_what_was_saved(open_page, saved) -> None:
    app = open_page("evaluation", checkpoint="alpha")
    scores = saved.metrics.standard
    assert metric(app, "Accuracy") == f"{100 * scores.accuracy:.1f}%"
    assert metric(app, "Macro-F1") == f"{scores.macro_f1:.3f}"
    assert metric(app, "Calibration error") == f"{100 * scores.ece_calibrated:.1f}%"
    assert metric(app, "Faces") == "240"


def test_choices_are_in_the_address_and_change_the_rows(open_page, saved) -> None:
    app = open_page("evaluation", checkpoint="alpha", tta="1", copies="0")
    scores = saved.metrics.tta.without_copies
    assert metric(app, "Accuracy") == f"{100 * scores.accuracy:.1f}%"
    assert metric(app, "Faces") == "232"
    next(t for t in app.toggle if t.label == "Include duplicates").set_value(True).run()
    assert metric(app, "Faces") == "240"
    assert "copies" not in app.query_params
    app = open_page("evaluation", checkpoint="alpha", truth="ferplus")
    assert metric(app, "Faces") == str(len(saved.rows(truth=FERPLUS)))


def averaging(app):
    return next(g for g in app.button_group if g.label == "Average predictions")


def test_five_crops_are_offered_where_they_were_measured(open_page, saved) -> None:
    app = open_page("evaluation", checkpoint="alpha", tta="five-crop", view="Benchmarks")
    assert averaging(app).options == ["No", "Mirror image"]
    assert metric(app, "Accuracy") == f"{100 * saved.metrics.standard.accuracy:.1f}%"
    assert len(app.table[0].value) == 4
    save_five_crop(saved.origin)
    app = open_page("evaluation", checkpoint="alpha", tta="five-crop", view="Benchmarks")
    rows = read_evaluation(saved.origin).rows(averaging="five-crop")
    assert averaging(app).options == ["No", "Mirror image", "Five crops"]
    assert metric(app, "Accuracy") == f"{100 * rows.scores.accuracy:.1f}%"
    assert any("averaged over five crops" in caption.value for caption in app.caption)
    assert "all faces, five crops" in list(app.table[0].value["Rule"])
    averaging(app).set_value("1").run()
    assert app.query_params["tta"] == "1", "as in links from before there were five crops"
    assert metric(app, "Accuracy") == f"{100 * saved.metrics.tta.standard.accuracy:.1f}%"


def test_damaged_five_crops_take_nothing_else_away(open_page, saved) -> None:
    (saved.origin / "five_crop.npz").write_bytes(b"nothing")
    app = open_page("evaluation", checkpoint="alpha", tta="five-crop", view="Benchmarks")
    assert not app.error
    assert {w.value for w in app.warning} == {
        as_text("'five_crop.npz' is damaged."),
        as_text("The link names the averaging 'five-crop', which isn't here; showing 'No'."),
    }
    assert metric(app, "Accuracy") == f"{100 * saved.metrics.standard.accuracy:.1f}%"
    assert averaging(app).options == ["No", "Mirror image"]


def test_people_are_not_held_against_themselves(open_page, saved) -> None:
    app = open_page("evaluation", checkpoint="alpha", view="People", truth="ferplus")
    assert any("choose FER2013 to see whom" in i.value for i in app.info)
    app = open_page("evaluation", checkpoint="alpha", view="People")
    assert not any("choose FER2013 to see whom" in i.value for i in app.info)


def test_a_cell_in_the_address_filters_what_is_below(open_page, saved) -> None:
    app = open_page("evaluation", checkpoint="alpha", label="fear", predicted="sad")
    rows = saved.rows()
    chosen = (rows.labels == 2) & (rows.predicted == 4)
    assert f"{chosen.sum()} faces labeled Fearful, taken for Sad" in [
        s.value for s in app.subheader
    ]
    shown = app.dataframe[0].value
    assert sorted(shown["Row"]) == sorted(rows.table["row"][chosen])
    assert set(shown["Prediction"]) == {"Sad"}
    confidence = shown["P(Sad)"].to_numpy()
    assert (np.diff(confidence) <= 0).all()
    next(b for b in app.button if b.label == "Show all").click().run()
    assert "240 faces" in [s.value for s in app.subheader]


def test_most_frequent_mistake_is_one_click_away(open_page, saved) -> None:
    app = open_page("evaluation", checkpoint="alpha")
    counts = np.array(saved.metrics.standard.confusion)
    np.fill_diagonal(counts, 0)
    label, answer = np.unravel_index(counts.argmax(), counts.shape)
    first = next(b for b in app.button if "→" in b.label)
    assert f": {counts[label, answer]} (" in first.label
    first.click().run()
    classes = saved.vocabulary.classes
    assert app.query_params["label"] == classes[label]
    assert app.query_params["predicted"] == classes[answer]


def test_gallery_shows_the_faces_and_one_in_full(open_page, with_faces) -> None:
    rows = with_faces.rows()
    app = open_page("evaluation", checkpoint="alpha")
    surest = rows.calibrated.max(axis=1).argmax()
    cards = [b for b in app.button if b.key and b.key.startswith("press_gallery_")]
    assert len(cards) == 18
    assert cards[0].key == f"press_gallery_{32298 + surest}"
    assert "Page 1 of 2" in [c.value for c in app.caption]
    cards[0].click().run()
    assert app.query_params["row"] == str(32298 + surest)
    assert "Open in Explain" in buttons(app)
    assert any(f"**Row {32298 + surest}**" in m.value for m in app.markdown)
    next(b for b in app.button if b.label == "Next").click().run()
    assert sum((b.key or "").startswith("press_gallery_") for b in app.button) == 12


@pytest.mark.parametrize(
    ("section", "charts", "downloads", "notes"),
    [
        ("Benchmarks", ["standing"], 0, []),
        ("Classes", ["classes", "roc", "pr"], 0, []),
        ("Confidence", ["reliability", "risk"], 0, []),
        ("People", ["people"], 0, []),
        ("Map", ["None"], 0, []),  # the row that is chosen ends its key
        ("Training", [], 0, ["This checkpoint has no training history."]),
        ("Report", [], 3, []),
    ],
)
def test_every_section_stands(open_page, with_faces, section, charts, downloads, notes) -> None:
    app = open_page("evaluation", checkpoint="alpha", view=section)
    assert not app.error
    keys = [chart.proto.id for chart in app.get("plotly_chart")]
    assert [re.split("[-_]", key)[-1] for key in keys] == charts
    assert len(app.get("download_button")) == downloads
    if not charts:
        assert [info.value for info in app.info] == notes


def test_sure_begins_where_the_pages_stop_saying_unsure(open_page, saved, monkeypatch) -> None:
    monkeypatch.setattr("fervt.ui.certainty._find", lambda _: 0.7)
    app = open_page("evaluation", checkpoint="alpha", view="Confidence")
    minimum = next(s for s in app.slider if s.label == "Minimum confidence for an answer")
    assert minimum.value == 70
    assert any("Answers below 70% are called unsure" in c.value for c in app.caption)


def test_others_figures_are_not_held_against_a_part_of_the_faces(open_page, shelf) -> None:
    save_evaluation(shelf / "alpha" / "PrivateTest", classes=FERPLUS)
    app = open_page("evaluation", checkpoint="alpha", view="Benchmarks", truth="fer2013")
    assert any("which are easier" in i.value for i in app.info)


@pytest.mark.parametrize("section", ["Mistakes", "Map"])
@pytest.mark.parametrize("number", ["9" * 5000, "-1", "²"])
def test_odd_numbers_in_the_address_are_nothing(open_page, with_faces, section, number) -> None:
    app = open_page("evaluation", view=section, row=number, gallery=number, checkpoint="alpha")
    assert not app.error


def test_a_checkpoint_without_an_evaluation_says_so(open_page, saved) -> None:
    app = open_page("evaluation", checkpoint="beta")
    assert any("No evaluation of beta is saved" in i.value for i in app.info)
    assert not app.metric


def test_a_link_to_a_split_that_is_not_saved_shows_the_one_that_is(open_page, saved) -> None:
    app = open_page("evaluation", checkpoint="alpha", split="PublicTest", label="nonsense")
    assert metric(app, "Faces") == "240"


def test_a_spoilt_evaluation_is_a_sentence(open_page, saved) -> None:
    path = saved.origin / "predictions.parquet"
    saved.plain.assign(sad=np.nan).to_parquet(path)
    app = open_page("evaluation", checkpoint="alpha")
    assert any("not finite" in e.value for e in app.error)


def test_missing_faces_are_a_sentence(open_page, saved, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FERVT_DATA", str(tmp_path / "gone.parquet"))
    app = open_page("evaluation", checkpoint="alpha")
    assert any("'gone.parquet', which does not exist" in w.value for w in app.warning)
    assert metric(app, "Faces") == "240"


def uploader(app, label: str):
    return next(u for u in app.file_uploader if u.label == label)


def press(app, label: str):
    next(b for b in app.button if b.label == label).click().run()
    assert not app.exception
    return app


def upload_zip(app, content: bytes, name: str = "mine.zip"):
    uploader(app, "A zip of images in folders named after expressions").upload(name, content)
    app.run()
    assert not app.exception
    return app


SECTIONS = (
    "Mistakes",
    "Benchmarks",
    "Classes",
    "Confidence",
    "People",
    "Map",
    "Training",
    "Report",
)


def test_a_zip_is_evaluated_found_again_and_forgotten(open_page, finish_job) -> None:
    app = open_page("evaluation", checkpoint="alpha", source="data")
    upload_zip(app, labeled_zip(20, "test/"))
    assert "20 images, 20 of them labeled" in "".join(c.value for c in app.caption)
    press(app, "Evaluate alpha")
    job = app.query_params["job"]
    finish_job(app)
    assert metric(app, "Faces") == "20"
    assert [b for b in app.button if (b.key or "").startswith("press_gallery_")]
    assert any("Anyone with this link can see these figures" in c.value for c in app.caption)
    for section in SECTIONS:
        again = open_page("evaluation", checkpoint="alpha", source="data", job=job, view=section)
        assert not again.error
        assert metric(again, "Faces") == "20"
    other = open_page("evaluation", checkpoint="beta", source="data", job=job)
    assert any("sidebar is beta" in w.value for w in other.warning)
    press(other, "Evaluate other data")
    assert server_jobs().find(job) is None
    gone = open_page("evaluation", checkpoint="alpha", source="data", job=job)
    assert any("no longer on this server" in w.value for w in gone.warning)


def test_an_evaluation_of_own_data_is_gone_once_it_is_forgotten(open_page, finish_job) -> None:
    app = open_page("evaluation", checkpoint="alpha", source="data")
    upload_zip(app, labeled_zip(20, "test/"))
    press(app, "Evaluate alpha")
    finish_job(app)
    job = app.query_params["job"]
    press(app, "Forget this evaluation")
    assert server_jobs().find(job) is None and "job" not in app.query_params


@pytest.mark.parametrize(("count", "one_class"), [(1, True), (3, False), (5, True)])
def test_no_section_needs_many_faces(
    open_page, checkpoints, monkeypatch, count: int, one_class: bool
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    faces = tiny.draw_faces(np.arange(count) % 7)
    folders = ["happy"] * count if one_class else ["sadness", "fear", "NEUTRAL"]
    content = zip_of(
        {
            f"{folder}/{i}.png": png(f)
            for i, (folder, f) in enumerate(zip(folders, faces, strict=True))
        }
    )
    found = evaluate_archive(
        lambda *_: None, Predictor(checkpoints["alpha"]), content, "few.zip", None, False
    )
    job = server_jobs().start("evaluate", "Few", give_back, found)
    while job.state == "running":
        time.sleep(0.1)
    for section in SECTIONS:
        for tta in ("0", "1"):
            app = open_page("evaluation", source="data", job=job.id, view=section, tta=tta)
            assert not app.error
            assert metric(app, "Faces") == str(count)
    assert "few.zip" in build_report(found.evaluation, info=found.info, data=found.faces)
    server_jobs().forget(job.id)


def test_a_prepared_file_is_evaluated(open_page, with_faces, finish_job) -> None:
    app = open_page("evaluation", checkpoint="alpha", source="data", data="prepared")
    assert "30 faces of PrivateTest" in "".join(c.value for c in app.caption)
    finish_job(press(app, "Evaluate alpha"))
    assert metric(app, "Faces") == "30"
    assert any("faces of PrivateTest, from drawn" in c.value for c in app.caption)  # the sidebar's


def test_an_own_prepared_file_is_evaluated_with_its_faces(open_page, tmp_path, finish_job) -> None:
    data = tiny.tiny_data()
    write_prepared(data, tmp_path / "mine.parquet")
    app = open_page("evaluation", checkpoint="alpha", source="data", data="prepared")
    uploader(app, "A prepared data file").upload("x.parquet", b"hello")
    app.run()
    assert any("Your file is not a prepared file" in e.value for e in app.error)
    press(app, "Forget this file")
    uploader(app, "A prepared data file").upload(
        "mine.parquet", (tmp_path / "mine.parquet").read_bytes()
    )
    app.run()
    finish_job(press(app, "Evaluate alpha"))
    assert metric(app, "Faces") == "42"
    assert [b for b in app.button if (b.key or "").startswith("press_gallery_")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "'mine.zip' is not a readable zip file."),
        (zip_of({"a.png": b"x"}), "'mine.zip' contains no labeled image"),
    ],
)
def test_a_wrong_zip_is_a_sentence(open_page, content: bytes, sentence: str, finish_job) -> None:
    app = upload_zip(open_page("evaluation", source="data"), content)
    if not app.error:
        finish_job(press(app, "Evaluate alpha"))
    assert any(sentence in e.value for e in app.error)
    assert not app.metric


def test_the_answer_comes_first_in_words(open_page, with_faces) -> None:
    app = open_page("evaluation", checkpoint="alpha")
    assert app.subheader[0].value.startswith("alpha names the labeled expression in ")
    assert any("It is best at " in each.value for each in app.markdown)


def test_parts_are_said_where_they_were_measured(open_page, shelf) -> None:
    folder = save_evaluation(shelf / "alpha" / "PrivateTest")
    app = open_page("evaluation", checkpoint="alpha", view="Parts")
    assert any("has not been measured" in each.value for each in app.info)
    assert any("choose alpha in the sidebar" in each.value for each in app.caption)
    plain = read_evaluation(folder).plain
    of = "0" * 64, hash_rows(plain["image_sha256"]), hash_labels(plain["label"].tolist())
    move = Following("right", 0.96, 0.44), Following("down", 0.96, 0.45)
    change = PartChange("GWA off", 0.597, -0.1, -0.112, -0.088)
    PartsReport(*of, "PrivateTest", 240, 0.697, 0.31, move, (change,)).write(folder)
    app = open_page("evaluation", checkpoint="alpha", view="Parts")
    assert any(m.value.startswith("Its attention follows the face. ") for m in app.markdown)
    assert app.table[1].value["Accuracy"][0] == "59.7%"
    said = "Another face's weights cost more than leaving out the graph"
    assert not any(m.value.startswith(said) for m in app.markdown)
    wrong = PartChange(ANOTHERS, 0.66, -0.035, -0.045, -0.025)
    without = PartChange(GNN_OFF, 0.687, -0.01, -0.019, -0.001)
    kept = PartChange(TOKEN_KEPT, 0.7, 0.003, -0.001, 0.006)
    PartsReport(*of, "PrivateTest", 240, 0.697, 0.31, move, (wrong, without, kept)).write(folder)
    app = open_page("evaluation", checkpoint="alpha", view="Parts")
    assert any(m.value.startswith(said) for m in app.markdown)


@pytest.mark.parametrize(
    ("view", "promise"), [("Mistakes", "cell to see its faces"), ("Map", "its face below")]
)
def test_faces_are_promised_only_where_a_file_has_them(
    open_page, with_faces, monkeypatch, view, promise
) -> None:
    def said() -> str:
        app = open_page("evaluation", checkpoint="alpha", view=view)
        return " ".join(each.value for each in [*app.caption, *app.markdown])

    assert promise in said()
    monkeypatch.delenv("FERVT_DATA")
    assert promise not in said()


def test_presenting_goes_slide_by_slide_and_ends(open_page, with_faces) -> None:
    def click(label):
        next(b for b in app.button if b.label == label).click().run()
        assert not app.exception

    app = open_page("evaluation", checkpoint="alpha")
    click("Present")
    assert app.query_params["slide"] in ("1", ["1"])
    first = app.title[-1].value
    assert first.startswith("Right on ")
    click("Next")
    assert app.title[-1].value.startswith("Best at ") and not app.info
    assert app.subheader[-1].value == "F1; 1 is perfect"
    next(t for t in app.toggle if t.label == "Notes").set_value(True).run()
    assert any("F1 combines" in each.value for each in app.info)
    click("Previous")
    assert app.title[-1].value == first
    click("End")
    assert "slide" not in app.query_params and app.tabs


@pytest.mark.parametrize("slide", ["0", "99", "x", "-1"])
def test_a_slide_that_does_not_exist_is_the_nearest_one(open_page, with_faces, slide) -> None:
    app = open_page("evaluation", checkpoint="alpha", slide=slide)
    assert not app.error and len(app.title) == 2
