"""The report: its numbers are the saved ones, it needs no network, wrong wishes are sentences."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
import tiny
from drawn_evidence import save_evidence, save_five_crop, save_parts
from synthetic import save_evaluation

from fervt.__main__ import main
from fervt.checkpoint import CheckpointInfo, shipped_checkpoints
from fervt.data.prepared import PreparedData, write_prepared
from fervt.data.transforms import Preprocess
from fervt.errors import DataError
from fervt.evaluation.certainty import UNMEASURED, threshold_in
from fervt.evaluation.metrics import read_metrics
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.summary import summarize
from fervt.files import file_sha256
from fervt.labels import FER2013, FERPLUS
from fervt.metrics import mcnemar
from fervt.reports.deck import build_deck
from fervt.reports.evaluation import build_report
from fervt.reports.render import markdown_html


@pytest.fixture
def pair(tmp_path):
    return [
        read_evaluation(save_evaluation(tmp_path / name, name, seed=i, skill=2 + i))
        for i, name in enumerate(("alpha", "beta"))
    ]


def words(report: str) -> str:
    """What a reader sees, without figures and scripts."""
    body = re.sub(r"<(script|style).*?</\1>", "", report, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_two_runs_of_one_name_are_told_apart(tmp_path) -> None:
    runs = []
    for i, digest in enumerate(("a" * 64, "b" * 64)):
        folder = save_evaluation(tmp_path / digest[0], "best", seed=i, checkpoint_sha256=digest)
        save_parts(folder)
        runs.append(read_evaluation(folder))
    text = words(build_report(runs[1], against=runs[0]))
    assert "best, bbbbbb on PrivateTest" in text
    assert "What each part contributes, against best, aaaaaa" in text
    bars = [s.chart for s in build_deck(runs[1], against=runs[0]) if "labels, best" in s.message]
    assert list(bars[0].series) == ["best, aaaaaa", "best, bbbbbb"]


def test_a_mark_changes_no_name_that_figures_are_found_by(tmp_path) -> None:
    name, file = next(iter(shipped_checkpoints().items()))
    ours = save_evaluation(tmp_path / "ours", name, checkpoint_sha256=file_sha256(file))
    again = save_evaluation(tmp_path / "again", name, seed=1)
    report = words(build_report(read_evaluation(ours), against=read_evaluation(again)))
    assert f"Against {name}, 000000" in report
    assert "Switched off, without retraining" in report


def test_a_folder_of_another_split_is_refused(tmp_path, capsys) -> None:
    folder = save_evaluation(tmp_path / "one", split="PublicTest")
    command = ["report", f"--checkpoint={folder}", f"--out={tmp_path / 'report.html'}"]
    assert main([*command, "--split=PrivateTest"]) == 2
    assert "is an evaluation on PublicTest, not PrivateTest." in capsys.readouterr().err
    assert main(command) == 0 == main([*command, "--split=PublicTest"])


def test_only_what_is_known_of_a_checkpoint_is_said_of_it(tmp_path) -> None:
    def say(name, **about):
        return words(build_report(read_evaluation(save_evaluation(tmp_path / name, **about))))

    (shipped, *_) = map(file_sha256, shipped_checkpoints().values())
    ours = say("ours", checkpoint_sha256=shipped)
    theirs = say("theirs", temperature=1.0)
    for said in ("selected on PublicTest", "temperature that was fitted on PublicTest"):
        assert said in ours and said not in theirs


def test_faces_that_may_be_known_are_not_called_held_out(tmp_path) -> None:
    folder = save_evaluation(tmp_path / "known")
    metrics = read_metrics(folder)
    known = replace(metrics, data=replace(metrics.data, held_out=False))
    (folder / "metrics.json").write_text(known.to_json())
    evaluation = read_evaluation(folder)
    report = words(build_report(evaluation))
    assert "may have seen these faces before" in report and "selected on" not in report
    assert not any(s in report for s in ("held out", "Compared with people", "People reach"))
    assert not any("People reach" in slide.say for slide in build_deck(evaluation))


def test_what_is_called_unsure_is_what_the_pages_call_so(pair, monkeypatch) -> None:
    monkeypatch.setattr("fervt.evaluation.certainty.find_threshold", lambda *_: 0.7)
    coverage = (pair[1].rows().calibrated.max(axis=1) >= 0.7).mean()
    text = words(build_report(pair[1]))
    assert "answers below 70% are called unsure" in text
    assert f"without them, it answers for {coverage:.1%} of the faces" in text


def test_an_own_evaluation_on_public_test_says_what_is_unsure(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path / "nothing saved")
    own = read_evaluation(save_evaluation(tmp_path / "own", split="PublicTest", skill=0.8))
    threshold = threshold_in(own)
    assert threshold and threshold != UNMEASURED
    assert f"answers below {threshold:.0%} are called unsure" in words(build_report(own))
    assert any(s.message.startswith(f"When at least {threshold:.0%} sure") for s in build_deck(own))


def test_numbers_equal_the_saved_metrics(pair) -> None:
    evaluation = pair[1]
    text = words(build_report(evaluation, now=datetime(2026, 5, 4, tzinfo=UTC)))
    metrics = evaluation.metrics
    for scores in (
        metrics.standard,
        metrics.without_copies,
        metrics.tta.standard,
        metrics.tta.without_copies,
    ):
        low, high = scores.accuracy_interval_95
        line = (
            f"{scores.accuracy:.2%} {100 * low:.1f} to {100 * high:.1f}% "
            f"{scores.macro_f1:.3f} {scores.ece_calibrated:.3f} "
            f"{scores.nll_calibrated:.3f} {scores.n:,}"
        )
        assert line in text
    for name, title in (("angry", "Angry"), ("happy", "Happy")):
        c = metrics.standard.per_class[name]
        line = f"{title} {c.precision:.1%} {c.recall:.1%} {c.f1:.3f} {c.support}"
        assert line in text
    assert "2026-05-04" in text
    assert metrics.checkpoint.sha256 in text
    assert metrics.data.content_hash in text
    assert "five crops" not in text.lower()


def test_it_follows_the_choice_of_rows(pair) -> None:
    evaluation = pair[0]
    rows = evaluation.rows(averaging="flip", copies=False, truth=FERPLUS)
    text = words(build_report(evaluation, rows, truth=FERPLUS, rule="As chosen here."))
    assert f"in {rows.scores.accuracy:.1%} of {len(rows)} faces" in text
    assert "As chosen here." in text
    assert f"without copies, mirrored too {rows.scores.accuracy:.2%}" in text
    assert f"Measured against {FERPLUS.title}" in text and "People reach" not in text
    assert "What each part contributes" not in text, "they were measured on other rows"
    assert f"Measured on labels of {FERPLUS.title}" in text
    plain = words(build_report(evaluation))
    assert all(part in plain for part in ("Compared with people", "What each part contributes"))
    assert "Compared with people" not in text, "they were measured by other labels"
    relabeled = replace(evaluation.rows(), labels=evaluation.rows().predicted)
    corrected = words(build_report(evaluation, relabeled, rule="Labels are corrected."))
    assert "Compared with people" not in corrected and "People reach" not in corrected
    assert "with corrected labels 100.00%" in corrected and "all faces" not in corrected
    assert "FER2013, corrected by people" in corrected


def test_five_crops_are_a_line_where_they_were_measured(pair) -> None:
    folder = pair[1].origin
    save_five_crop(folder)
    evaluation = read_evaluation(folder)
    text = words(build_report(evaluation))
    for way, copies in (("all faces", True), ("without copies", False)):
        scores = evaluation.rows(averaging="five-crop", copies=copies).scores
        assert f"{way}, five crops {scores.accuracy:.2%}" in text
    assert "Five crops: averaged over five windows of the face" in text
    (folder / "five_crop.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"'five_crop\.npz' is damaged"):
        build_report(read_evaluation(folder))
    assert "Labels are opinions" in text
    assert "not felt emotions" in text


def test_it_is_one_file(pair) -> None:
    report = build_report(pair[0], against=pair[1])
    assert len(report) < 10_000_000
    assert report.count("plotly.js v") == 1
    page = re.sub(r"<script.*?</script>", "", report, flags=re.S)
    assert not re.findall(r"<link|@import|(?:src|href)=['\"](?!data:)", page)


def test_comparison_is_the_paired_one(pair) -> None:
    old, new = (evaluation.rows() for evaluation in pair)
    text = words(build_report(pair[1], against=pair[0]))
    test = mcnemar(old.right, new.right)
    assert f"beta gets {test.fixed} faces right that alpha got wrong, and {test.broken} the" in text
    gain = new.scores.accuracy - old.scores.accuracy
    assert f"{100 * gain:+.2f}" in text
    assert "240 of 240 faces are in both." in text


def test_words_follow_from_the_figures(pair, tmp_path) -> None:
    text = " ".join(summarize(pair[0], pair[0].rows(), pair[0].truth))
    assert f"in {pair[0].metrics.standard.accuracy:.1%} of 240 faces" in text
    assert "optimistic" not in text
    public = read_evaluation(
        save_evaluation(tmp_path / "public", split="PublicTest", labels_seen=["fer2013", "ferplus"])
    )
    text = " ".join(summarize(public, public.rows(), public.truth))
    assert "optimistic" in text
    assert "trained with FER+ votes" in text
    plus = read_evaluation(save_evaluation(tmp_path / "plus", classes=FERPLUS))
    assert "People reach" not in " ".join(summarize(plus, plus.rows(), plus.truth))


def test_the_command_writes_it_with_faces(tmp_path, capsys) -> None:
    labels = np.arange(30) % 7
    data = PreparedData.from_rows(
        tiny.draw_faces(labels),
        np.arange(30),
        np.repeat("PrivateTest", 30),
        labels,
        np.zeros((30, 10), np.uint8),
        "as drawn",
        "drawn",
    )
    write_prepared(data, tmp_path / "data.parquet")
    folder = save_evaluation(tmp_path / "one", count=30, shas=data.sha256.tolist())
    out = tmp_path / "new folder" / "report.html"
    command = ["report", f"--checkpoint={folder}", f"--out={out}"]
    assert main([*command, f"--data={tmp_path / 'data.parquet'}", f"--against={folder}"]) == 0
    assert "alpha on PrivateTest" in capsys.readouterr().out
    report = out.read_text()
    wrong = 30 - round(
        30 * json.loads((folder / "metrics.json").read_text())["standard"]["accuracy"]
    )
    assert report.count("<img ") == min(12, wrong) + min(12, 30 - wrong)
    assert main([*command[:1], "--checkpoint=nobody", command[2]]) == 2
    assert "'nobody' has no saved evaluation on PrivateTest" in capsys.readouterr().err


def test_what_cannot_be_compared_is_a_sentence(pair, tmp_path) -> None:
    other = read_evaluation(save_evaluation(tmp_path / "other", data_seed=4))
    with pytest.raises(DataError, match="Only 0 of 240"):
        build_report(pair[0], against=other)


def test_evaluations_of_different_length_are_compared_on_what_is_common(pair, tmp_path) -> None:
    plus = read_evaluation(save_evaluation(tmp_path / "plus", "plus", classes=FERPLUS))
    common = len(plus.plain)
    text = words(build_report(pair[0], against=plus))
    assert f"Against plus, on the {common} faces in both: " in text
    assert f"{common} of 240 faces are in both. Without Contemptuous." in text
    assert f"of {240:,} faces of PrivateTest" in text  # its own headline stays about all of its own


def test_a_part_that_was_off_is_said(tmp_path) -> None:
    report = build_report(read_evaluation(save_evaluation(tmp_path / "x", neutralized="gwa")))
    assert "<h1>alpha without its GWA on PrivateTest</h1>" in report
    assert "alpha without its GWA names the labeled expression" in report
    drawn = re.findall(r'"name":"(alpha[^"]*)"', report)
    assert set(drawn) == {"alpha without its GWA"}, "no chart shows them as the whole model's"


def test_a_part_that_was_off_on_the_other_side_is_said(pair, tmp_path) -> None:
    without = read_evaluation(save_evaluation(tmp_path / "x", seed=5, neutralized="gnn"))
    report = words(build_report(pair[0], against=without))
    assert "Against alpha without its GNN: " in report
    assert "faces right that alpha without its GNN got wrong" in report


def test_both_sides_of_a_comparison_are_of_one_split(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    for split in ("PublicTest", "PrivateTest"):
        save_evaluation(tmp_path / "alpha" / split, split=split, data_seed=len(split))
    mine = save_evaluation(
        tmp_path / "mine", "mine", split="PublicTest", data_seed=len("PublicTest")
    )
    out = tmp_path / "report.html"
    assert main(["report", f"--checkpoint={mine}", "--against=alpha", f"--out={out}"]) == 0
    assert "240 of 240 faces are in both" in out.read_text()


def test_names_cannot_inject_markup(tmp_path) -> None:
    evil = read_evaluation(save_evaluation(tmp_path / "x", "<script>alert(1)</script>"))
    report = build_report(evil)
    assert "<script>alert(1)" not in report


def test_markdown_keeps_html_links_and_pictures_text() -> None:
    assert markdown_html("a **b**\nc\n\n- d `e`\n- f < g") == (
        "<p>a <strong>b</strong>\nc</p>\n"
        "<ul>\n<li>d <code>e</code></li>\n<li>f &lt; g</li>\n</ul>\n"
    )
    assert "<td>1</td>" in markdown_html("| a | b |\n|---|---|\n| 1 | 2 |")
    page = markdown_html("<b>x</b> [a](http://a.b) ![p](http://a.b/c.png) <http://a.b>")
    assert not [tag for tag in ("<b>", "<a", "<img") if tag in page]


def test_nothing_is_cut_off_or_collides_on_a_phone(pair, tmp_path, browser_page) -> None:
    history = [{"epoch": e, "train_loss": 1 / (e + 1), "learning_rate": 0.1} for e in range(4)]
    info = CheckpointInfo(tiny.CONFIG, Preprocess(28, 0.4, 0.25), history=history)
    report = tmp_path / "report.html"
    report.write_text(build_report(pair[0], info=info, against=pair[1]), encoding="utf-8")
    page = browser_page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(report.as_uri())
    too_wide = (
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    )
    assert page.evaluate(f"{too_wide}.length") == 0
    charts = [chart.bounding_box() for chart in page.locator(".row .js-plotly-plot").all()]
    assert len(charts) == 3
    assert all(chart["width"] > 300 for chart in charts)
    assert all(a["y"] + a["height"] <= b["y"] for a, b in pairwise(charts))
    first = page.locator("table").first.locator("tbody tr").first.locator("td")
    assert first.nth(1).evaluate("e => getComputedStyle(e, '::before').content") == '"Accuracy"'
    page.set_viewport_size({"width": 1280, "height": 720})
    page.reload()
    side_by_side = [
        chart.bounding_box()["y"] for chart in page.locator(".row .js-plotly-plot").all()
    ]
    assert len(set(side_by_side)) == 1


def test_people_are_not_compared_with_their_own_majority(tmp_path) -> None:
    own = read_evaluation(save_evaluation(tmp_path / "ferplus", classes=FERPLUS))
    assert "Did people disagree, too?" not in words(build_report(own))
    by_fer2013 = build_report(own, own.rows(truth=FER2013), truth=FER2013)
    assert "People reach" not in words(by_fer2013), "only faces on which annotators agree"


def test_a_class_without_a_face_is_not_the_weakest(pair) -> None:
    assert "lowest for Disgusted" not in build_report(pair[0])  # nobody is labeled disgust


def test_slices_are_left_out_where_there_are_none(tmp_path) -> None:
    folder = save_evaluation(tmp_path / "few", count=20)
    save_evidence(folder)
    report = build_report(read_evaluation(folder))
    assert "Where it looks" in report and "Its worst slices" not in report
