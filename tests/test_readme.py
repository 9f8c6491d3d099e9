"""README's figures are the saved ones, its Python runs, and it stays short."""

import re
from pathlib import Path

from fervt.checkpoint import shipped_checkpoints
from fervt.evaluation.store import headline, shipped_metrics

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_headline_figures_are_the_saved_ones() -> None:
    figures = headline(shipped_metrics(next(iter(shipped_checkpoints())))["PrivateTest"])
    low, high = figures["accuracy_interval_95"]
    for text in (TEXT, (ROOT / "docs" / "results.md").read_text()):
        assert f"**{figures['accuracy']:.1%}** ({100 * low:.1f} to {100 * high:.1f})" in text
        assert f"{figures['macro_f1']:.3f}" in text
        assert f"{figures['n']:,}" in text
        assert f"{figures['accuracy_without_copies']:.1%}" in text
        assert f"{figures['n_without_copies']:,}" in text
        assert f"{figures['accuracy_flip_tta']:.1%}" in text
        assert "@@" not in text


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
