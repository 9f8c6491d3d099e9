"""Many figures of docs/results.md are those of the shipped evaluations."""

import re
import shutil
import sys

import pytest

from fervt.checkpoint import shipped_checkpoints
from fervt.errors import DataError
from fervt.evaluation.store import EvaluationStore
from fervt.resources import ROOT
from scripts.findings import main

NUMBER = r"([+-]?[\d.]+)"
SCORES = rf"{NUMBER}% \({NUMBER} to {NUMBER}%\), macro-F1 {NUMBER},"
# A printed line, and what the page says with its figures.
QUOTES = {
    rf"standard: {SCORES}": "| standard | 3,589 | **{0}%** ({1} to {2}) | {3} |",
    rf"without copies: {SCORES}": "in earlier splits | 3,275 | {0}% ({1} to {2}) | {3} |",
    rf"flip: {SCORES}": "with flip test-time augmentation | 3,589 | {0}% | {3} |",
    rf"five-crop: {SCORES}": "averaged over five crops | 3,589 | {0}% | {3} |",
    rf"Fearful {NUMBER}%, Happy {NUMBER}%, Sad {NUMBER}%": (
        "it recognizes {0}% of the fearful and {2}% of the sad faces, but {1}% of the happy ones"
    ),
    rf"gwa: mean map explains {NUMBER}%": "mean map explains {0}% of the variance of the weights",
    rf"the labels' mean maps differ from it by up to {NUMBER}": (
        "The mean maps of the labels differ from it by up to {0} in a cell"
    ),
    rf"matters most costs {NUMBER} points \(median\); on {NUMBER}% of the faces": (
        "costs {0} points of the answer's probability (median), but on {1}% of the faces"
    ),
    rf"worst of {NUMBER}: .*: {NUMBER}% \({NUMBER}% to {NUMBER}%, n = {NUMBER}\)": (
        "in dark pictures, with {1}% ({2} to {3}; {4} faces)"
    ),
    rf"a shift of 9 px: .* -{NUMBER} points \(-{NUMBER} to -{NUMBER}\)": (
        "a shift by 9 of 48 pixels costs {0} points ({2} to {1})"
    ),
    rf"noise of 55 gray levels: {NUMBER}%, .* correlates at {NUMBER}": (
        "with noise of 55 gray levels accuracy is {0}%, and the weights correlate at {1}"
    ),
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


@pytest.mark.parametrize("name", list(shipped_checkpoints()))
def test_how_often_it_is_called_unsure(name, monkeypatch, capsys):
    page = (ROOT / "docs" / "results.md").read_text()
    pattern = "below N: N, right N, label among the two named N, right when sure N"
    found = re.search(
        pattern.replace("N", r"([\d.]+%)"), _printed(monkeypatch, capsys, "--checkpoint", name)
    )
    assert f"| `{name}` | {' | '.join(found.groups())} |" in page


def test_what_was_not_measured_is_left_out(monkeypatch, capsys, tmp_path):
    folder = tmp_path / "fervt-wide"
    shutil.copytree(EvaluationStore().root / "fervt-wide" / "PrivateTest", folder / "PrivateTest")
    for name in ("evidence.npz", "robustness.npz", "five_crop.npz"):
        (folder / "PrivateTest" / name).unlink()
    printed = _printed(monkeypatch, capsys, "--evaluations", str(tmp_path))
    titles = [line for line in printed.splitlines() if line.startswith("#")]
    assert titles == ["## PrivateTest", "## unsure"]
    assert "below 50%" in printed
    assert "five-crop" not in printed
    with pytest.raises(DataError, match="'ablation' has no saved evaluation on PrivateTest"):
        _printed(monkeypatch, capsys, "--checkpoint", "ablation", "--evaluations", str(tmp_path))
