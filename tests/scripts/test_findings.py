"""The figures of docs/results.md are those of the shipped evaluations."""

import re
import shutil
import sys

import pytest

from fervt.errors import DataError
from fervt.evaluation.store import EvaluationStore
from fervt.resources import ROOT
from scripts.findings import main

NUMBER = r"([+-]?[\d.]+)"
# A printed line, and what the page says with its figures.
QUOTES = {
    rf"standard: {NUMBER}%, macro-F1 {NUMBER},": "| standard | 3,589 | **{0}%**",
    rf"without copies: {NUMBER}%, macro-F1 {NUMBER},": "earlier splits | 3,275 | {0}%",
    rf"flip: {NUMBER}%, macro-F1 {NUMBER},": "flip test-time augmentation | 3,589 | {0}% | {1} |",
    rf"five-crop: {NUMBER}%, macro-F1 {NUMBER},": "averaged over five crops | 3,589 | {0}% | {1} |",
    rf"Fearful {NUMBER}%, Happy {NUMBER}%, Sad {NUMBER}%": (
        "it recognizes {0}% of the fearful and {2}% of the sad faces, but {1}% of the happy ones"
    ),
    rf"below {NUMBER}%: {NUMBER}%, right {NUMBER}%, label among the two named {NUMBER}%, "
    rf"right when sure {NUMBER}%": "| `fervt-wide` | {0}% | {1}% | {2}% | {3}% | {4}% |",
    rf"gwa: mean map explains {NUMBER}%": "mean map explains {0}% of the variance of the weights",
    rf"the labels' mean maps differ from it by up to {NUMBER}": (
        "The mean maps of the labels differ from it by up to {0} in a cell"
    ),
    rf"matters most costs {NUMBER} points \(median\); on {NUMBER}% of the faces": (
        "costs {0} points of the answer's probability (median), but on {1}% of the faces"
    ),
    rf"worst of {NUMBER}: .*: {NUMBER}% \({NUMBER}% to {NUMBER}%": "The worst of {0} slices is the",
    rf"mean corruption error {NUMBER}%, clean {NUMBER}%": (
        "Its mean corruption error is {0}%, against {1}% on the clean faces"
    ),
}


def _printed(monkeypatch, capsys, *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["findings", *words])
    assert main() == 0
    return capsys.readouterr().out


def test_the_page_says_what_was_measured(monkeypatch, capsys):
    page = " ".join((ROOT / "docs" / "results.md").read_text().split())
    printed = _printed(monkeypatch, capsys)
    assert printed.startswith("## PrivateTest")
    for pattern, sentence in QUOTES.items():
        found = re.search(pattern, printed)
        assert found, pattern
        assert sentence.format(*found.groups()) in page


def test_what_was_not_measured_is_left_out(monkeypatch, capsys, tmp_path):
    folder = tmp_path / "fervt-wide"
    shutil.copytree(EvaluationStore().root / "fervt-wide" / "PrivateTest", folder / "PrivateTest")
    for name in ("evidence.npz", "robustness.npz", "five_crop.npz"):
        (folder / "PrivateTest" / name).unlink()
    printed = _printed(monkeypatch, capsys, "--evaluations", str(tmp_path))
    assert [line for line in printed.splitlines() if line.startswith("#")] == ["## PrivateTest"]
    assert "five-crop" not in printed
    with pytest.raises(DataError, match="'ablation' has no saved evaluation on PrivateTest"):
        _printed(monkeypatch, capsys, "--checkpoint", "ablation", "--evaluations", str(tmp_path))
