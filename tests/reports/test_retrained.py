"""Networks trained without a part, in words."""

import json
from pathlib import Path

import pytest

from fervt.errors import DataError
from fervt.reports.retrained import training_ablation_table


def write(path: Path, **accuracies: list[float]) -> Path:
    rows = [
        {
            "variant": name.replace("_", " "),
            "epochs": 12 if name == "full" else 24,
            "accuracies": seeds,
            "mean": sum(seeds) / len(seeds),
            "standard_deviation": 0.0141 if len(seeds) > 1 else None,
            "log_losses": [1.1, 1.2][: len(seeds)],
        }
        for name, seeds in accuracies.items()
    ]
    entry = {"split": "PublicTest", "n": 3589, "width": 16, "image_size": 42, "stem": "face-fast"}
    path.write_text(json.dumps(entry | {"variants": rows}))
    return path


def test_the_table_has_the_measured_figures(tmp_path) -> None:
    path = tmp_path / "ablations.json"
    assert training_ablation_table(path) == ""
    table = training_ablation_table(write(path, full=[0.5, 0.52], without_both=[0.6]))
    assert "| full | 12 | 51.0% ± 1.4 | 1.150 | 2 |" in table
    assert "| without both | 24 | 60.0% | 1.100 | 1 |" in table
    assert "PublicTest (n = 3,589)" in table


@pytest.mark.parametrize(
    ("full", "without_both", "said"),
    [
        ([0.5, 0.52], [0.56, 0.58], "trained without both is more accurate than every full one, "),
        ([0.5, 0.57], [0.56, 0.58], None),
        ([0.56, 0.58], [0.5, 0.52], None),
    ],
)
def test_a_part_that_costs_accuracy_is_said_to_if_the_seeds_do_not_overlap(
    full, without_both, said, tmp_path
) -> None:
    table = training_ablation_table(
        write(tmp_path / "a.json", full=full, without_both=without_both)
    )
    assert ("evidence, not accuracy" in table) == (said is not None)
    assert said is None or f"{said}by 6.0 points on average" in " ".join(table.split())


def test_one_part_that_costs_accuracy_says_nothing_of_both(tmp_path) -> None:
    path = write(tmp_path / "a.json", full=[0.5], without_GWA=[0.6], without_both=[0.5])
    assert "evidence, not accuracy" not in training_ablation_table(path)


def test_a_damaged_file_is_a_sentence(tmp_path) -> None:
    path = tmp_path / "ablations.json"
    path.write_text("{}")
    with pytest.raises(DataError, match=r"'ablations\.json' is damaged"):
        training_ablation_table(path)
