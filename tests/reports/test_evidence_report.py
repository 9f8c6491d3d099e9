"""The report and the card: where it looks, its worst slices, its robustness."""

import re
from dataclasses import replace

import numpy as np
import pytest
import tiny
from drawn_evidence import save_evidence, save_parts, save_robustness
from synthetic import save_evaluation

from fervt.errors import DataError
from fervt.evaluation.comparison import join_evaluations
from fervt.evaluation.evidence import FILE
from fervt.evaluation.pairs import join_robustness
from fervt.evaluation.robustness import corruption_error
from fervt.evaluation.saved import read_evaluation
from fervt.files import file_sha256
from fervt.reports.card import render_card
from fervt.reports.comparison_evidence import compare_evidence
from fervt.reports.evaluation import build_report
from fervt.reports.evidence import evidence_sections


@pytest.fixture
def folder(tmp_path):
    return save_evaluation(tmp_path / "alpha" / "PrivateTest")


def test_the_report_has_what_was_measured(folder) -> None:
    plain = build_report(read_evaluation(folder))
    assert "Where it looks" not in plain and "Robustness to corruption" not in plain
    save_evidence(folder)
    found = save_robustness(folder)
    evaluation = read_evaluation(folder)
    report = build_report(evaluation)
    for heading in ("Where it looks", "Its worst slices", "Robustness to corruption"):
        assert f"<h2>{heading}</h2>" in report
    labels = evaluation.plain["label"].to_numpy()[found.positions]
    error = corruption_error(found, labels)
    assert error is not None and f"Mean corruption error {error.mean:.1%}" in report
    rows = evaluation.rows()
    sections = {section.heading: section for section in evidence_sections(evaluation, rows)}
    faces = [b for b in sections["Where it looks"].blocks if b.kind == "faces"]
    assert len(faces) == 3  # one for each source
    shown = int(sum((rows.labels == i).sum() > 1 for i in range(7)))
    assert [len(b.faces) for b in faces] == [shown] * 3
    charts = [b for b in sections["Robustness to corruption"].blocks if b.kind == "chart"]
    assert len(charts) == 10


def test_a_comparison_has_both_atlases_and_both_curves(folder, tmp_path) -> None:
    other = save_evaluation(tmp_path / "beta" / "PrivateTest", "beta", seed=1)
    save_evidence(folder)
    save_robustness(folder)
    pair = [read_evaluation(each) for each in (folder, other)]
    headings = ("Where it looks, against beta", "Robustness to corruption, against beta")
    lacking = build_report(pair[0], against=pair[1])
    assert not any(heading in lacking for heading in headings)
    save_evidence(other)
    save_robustness(other)
    pair = [read_evaluation(each) for each in (folder, other)]
    report = build_report(pair[0], against=pair[1])
    assert all(f"<h2>{heading}</h2>" in report for heading in headings)
    both = pair[1], pair[0]
    joined = join_evaluations(both, pair[0].truth)
    sections = {each.heading: each for each in compare_evidence(*both, joined)}
    atlas, robust = (sections[heading] for heading in headings)
    assert [len(b.faces) for b in atlas.blocks if b.kind == "faces"] == [2] * 3
    curves = [b.figure for b in robust.blocks if b.kind == "chart"]
    assert len(curves) == 10
    assert all({"alpha", "beta"} <= {trace.name for trace in figure.data} for figure in curves)


def test_a_ratio_to_no_errors_is_left_out(folder, tmp_path, monkeypatch) -> None:
    def faultless(joined, found, vocabularies):
        both = join_robustness(joined, found, vocabularies)
        return replace(both, errors=(replace(both.errors[0], mean=0.0), both.errors[1]))

    monkeypatch.setattr("fervt.reports.comparison_evidence.join_robustness", faultless)
    other = save_evaluation(tmp_path / "beta" / "PrivateTest", "beta", seed=1)
    for each in (folder, other):
        save_evidence(each)
        save_robustness(each)
    report = build_report(read_evaluation(folder), against=read_evaluation(other))
    assert "beta 0.0%." in report and "(ratio" not in report


def test_reports_say_what_the_parts_contribute_and_on_how_many_faces(folder, tmp_path) -> None:
    other = save_evaluation(tmp_path / "beta" / "PrivateTest", "beta", seed=1)
    found = save_parts(folder)
    alone = build_report(read_evaluation(folder))
    said = "On PrivateTest (n = 240, FER2013 labels), where the unchanged model reaches "
    assert f"{said}{found.accuracy:.1%}." in alone and "zoomed by 1.3, 0.72 and 0.60" in alone
    heading = "What each part contributes, against beta"
    assert heading not in build_report(read_evaluation(folder), against=read_evaluation(other))
    save_parts(other, cost=0.2)
    report = build_report(read_evaluation(folder), against=read_evaluation(other))
    assert f"<h2>{heading}</h2>" in report
    for cost in ("-10.0 (-11.0 to -9.0)", "-20.0 (-21.0 to -19.0)"):
        assert cost in report


def test_every_chart_says_what_it_shows(folder) -> None:
    save_evidence(folder)
    save_robustness(folder)
    report = build_report(read_evaluation(folder))
    said = re.findall(r'role="figure" aria-label="([^"]*)"', report)
    assert len(said) == report.count("plotly-graph-div") >= 18
    assert all(re.search(r"\d", one) or "No cell" in one for one in said), said


def test_a_report_with_evidence_of_another_checkpoint_is_refused(folder, tmp_path) -> None:
    other = save_evaluation(tmp_path / "beta", checkpoint_sha256="1" * 64)
    save_evidence(other)
    (folder / FILE).write_bytes((other / FILE).read_bytes())
    with pytest.raises(DataError, match="belongs to another checkpoint"):
        build_report(read_evaluation(folder))


def test_the_card_has_the_mean_corruption_error(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path / "shelf")
    checkpoint = tiny.save_tiny(tmp_path)
    assert "*not measured yet*" in render_card("tiny", checkpoint)
    place = save_evaluation(
        tmp_path / "shelf" / "tiny" / "PrivateTest", "tiny",
        checkpoint_sha256=file_sha256(checkpoint),
    )  # fmt: skip
    found = save_robustness(place)
    labels = read_evaluation(place).plain["label"].to_numpy()[found.positions]
    error = corruption_error(found, labels)
    assert error is not None
    card = render_card("tiny", checkpoint)
    assert f"**{error.mean:.1%}** (mean corruption error)" in card
    assert "| Less light | " in card
    assert np.isclose(error.clean, 0)
