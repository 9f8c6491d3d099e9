"""README's figures are the saved ones, what it names exists, its Python runs, and it is short."""

import re
from pathlib import Path

from fervt.__main__ import VERBS, main
from fervt.checkpoint import shipped_checkpoints
from fervt.evaluation.store import EvaluationStore
from fervt.files import file_sha256

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_headline_figures_are_the_saved_ones() -> None:
    metrics = EvaluationStore().metrics(next(iter(shipped_checkpoints())))["PrivateTest"]
    scores, clean = metrics.standard, metrics.without_copies
    low, high = scores.accuracy_interval_95
    for text in (TEXT, (ROOT / "docs" / "results.md").read_text()):
        assert f"**{scores.accuracy:.1%}** ({100 * low:.1f} to {100 * high:.1f})" in text
        assert f"{scores.macro_f1:.3f}" in text
        assert f"{scores.n:,}" in text
        assert f"{clean.accuracy:.1%}" in text
        assert f"{clean.n:,}" in text
        assert f"{metrics.tta.standard.accuracy:.1%}" in text
        assert "@@" not in text


def test_pictures_files_and_verbs_exist() -> None:
    linked = re.findall(r"\]\(((?:assets|docs)/[^)#]+|LICENSE)[^)]*\)", TEXT)
    assert "LICENSE" in linked
    assert sum(path.endswith(".png") for path in linked) == 1
    assert sum(path.startswith("docs/") for path in linked) >= 10
    for path in linked:
        assert (ROOT / path).is_file(), path
    for path in re.findall(r"`((?:fervt|configs|docs|scripts|tests)/[\w./-]+)`", TEXT):
        assert (ROOT / path).exists(), path
    verbs = re.findall(r"(?:-m |^|`)fervt ([a-z]+)", TEXT, re.MULTILINE)
    assert {"app", "predict", "explain", "checkpoints", "report", "serve"} <= set(verbs)
    for verb in verbs:
        assert verb in VERBS, verb


def test_it_stays_short_and_keeps_the_notice() -> None:
    assert len(TEXT.splitlines()) <= 120
    assert "apparent expressions, not felt emotions" in TEXT
    assert "AI Act, Art. 5(1)(f)" in TEXT


def test_the_python_example_runs_as_pasted() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["face"].label == "happy"
    assert names["why"].gwa.shape == (7, 7)


def test_its_command_makes_the_report_of_the_flagship_that_ships(tmp_path: Path) -> None:
    (command,) = re.findall(r"-m fervt (report .*)", TEXT)
    out = tmp_path / "report.html"
    assert main([str(out) if word == "report.html" else word for word in command.split()]) == 0
    assert file_sha256(next(iter(shipped_checkpoints().values()))) in out.read_text()
