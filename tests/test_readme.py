"""README's figures are the saved ones, and what it names exists."""

import re
from pathlib import Path

from fervt.__main__ import VERBS
from fervt.checkpoint import shipped_checkpoints
from fervt.evaluation.store import EvaluationStore
from fervt.files import file_sha256

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_headline_figures_are_the_saved_ones() -> None:
    metrics = EvaluationStore().metrics(next(iter(shipped_checkpoints())))["PrivateTest"]
    scores, clean = metrics.standard, metrics.without_copies
    low, high = scores.accuracy_interval_95
    assert f"**{scores.accuracy:.1%}** ({100 * low:.1f} to {100 * high:.1f})" in TEXT
    assert f"{scores.macro_f1:.3f}" in TEXT
    assert f"{scores.n:,}" in TEXT
    assert f"{clean.accuracy:.1%}" in TEXT
    assert f"{clean.n:,}" in TEXT
    assert f"{metrics.tta.standard.accuracy:.1%}" in TEXT
    assert "@@" not in TEXT


def test_pictures_files_and_verbs_exist() -> None:
    for path in re.findall(r"\]\(((?:assets|docs)/[^)]+|LICENSE)\)", TEXT):
        assert (ROOT / path).is_file(), path
    for path in re.findall(r"`((?:fervt|configs|docs|scripts|tests)/[\w./-]+)`", TEXT):
        assert (ROOT / path).exists(), path
    for verb in re.findall(r"-m fervt (\w+)", TEXT):
        assert verb in VERBS, verb


def test_the_example_report_is_of_the_flagship_that_ships() -> None:
    name, path = next(iter(shipped_checkpoints().items()))
    assert file_sha256(path) in (ROOT / "docs" / f"report-{name}.html").read_text()
