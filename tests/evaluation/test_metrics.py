"""metrics.json: what is written is read again, and what is damaged is named in one sentence."""

import json
from dataclasses import replace

import pytest
from synthetic import save_evaluation

from fervt.errors import DataError
from fervt.evaluation.metrics import Metrics, read_metrics
from fervt.labels import FERPLUS
from fervt.resources import EVALUATIONS


def test_what_is_written_is_read_again(tmp_path) -> None:
    metrics = read_metrics(save_evaluation(tmp_path / "one", classes=FERPLUS))
    assert Metrics.from_json(metrics.to_json()) == metrics
    assert metrics.vocabulary is metrics.truth is FERPLUS
    assert metrics.standard.n == sum(map(sum, metrics.standard.confusion))
    assert (metrics.parts.gwa_std_over_cells, metrics.parts.gwa_max) == (0.31, None)
    data = replace(metrics.data, labels_from="folders")
    lonely = replace(metrics, without_copies=None, neutralized="gnn", data=data)
    assert Metrics.from_json(lonely.to_json()) == lonely


@pytest.mark.parametrize(
    "file",
    sorted(EVALUATIONS.glob("*/*/metrics.json")),
    ids=lambda file: "-".join(file.parts[-3:-1]),
)
def test_what_ships_is_as_it_would_be_written(file) -> None:
    assert read_metrics(file.parent).to_json() == file.read_text()


def test_the_older_spelling_still_says_which_part_was_off(tmp_path) -> None:
    folder = save_evaluation(tmp_path / "one")
    raw = json.loads((folder / "metrics.json").read_text())
    del raw["neutralized"]
    (folder / "metrics.json").write_text(json.dumps(raw | {"neutralized": "gwa"}))
    assert read_metrics(folder).neutralized == "gwa"


def _without(raw: dict, *path: str) -> dict:
    first, *rest = path
    if rest:
        return raw | {first: _without(raw[first], *rest)}
    return {key: value for key, value in raw.items() if key != first}


DAMAGES = [
    (lambda raw: [], "are damaged: they are not an object"),
    (lambda raw: _without(raw, "temperature"), "lack 'temperature'"),
    (lambda raw: _without(raw, "classes"), "lack 'classes'"),
    (lambda raw: _without(raw, "checkpoint"), "lack 'checkpoint'"),
    (lambda raw: _without(raw, "neutralized"), "lack 'neutralized'"),
    (lambda raw: _without(raw, "standard", "confusion"), "lack 'standard.confusion'"),
    (lambda raw: _without(raw, "standard", "per_class", "sad", "f1"),
     "lack 'standard.per_class.sad.f1'"),
    (lambda raw: _without(raw, "standard", "per_class", "sad"),
     "are damaged: 'standard.per_class' must name the classes in their order"),
    (lambda raw: raw | {"temperature": None},
     "are damaged: 'temperature' must be a finite number"),
    (lambda raw: raw | {"temperature": float("nan")},
     "are damaged: 'temperature' must be a finite number"),
    (lambda raw: raw | {"temperature": 10**400},
     "are damaged: 'temperature' must be a finite number"),
    (lambda raw: raw | {"temperature": 0}, "are damaged: 'temperature' must be above 0"),
    (lambda raw: raw | {"checkpoint": {"name": "alpha"}}, "lack 'checkpoint.sha256'"),
    (lambda raw: raw | {"data": raw["data"] | {"source": 5}},
     "are damaged: 'data.source' must be a string"),
    (lambda raw: raw | {"data": raw["data"] | {"labels_from": "my head"}},
     "are damaged: 'data.labels_from' must be one of folders"),
    (lambda raw: raw | {"neutralized": "everything"},
     "are damaged: 'neutralized' must be one of gwa, gnn"),
    (lambda raw: raw | {"labels": "emotions"},
     "are damaged: 'labels' must be fer2013 or ferplus"),
    (lambda raw: raw | {"labels_seen": ["emotions"]},
     "are damaged: 'labels_seen' must be fer2013 or ferplus"),
    (lambda raw: raw | {"labels_seen": 5}, "are damaged: 'labels_seen' must be a list"),
    (lambda raw: raw | {"classes": raw["classes"][::-1]},
     "are damaged: 'classes' must be those of FER2013 or FER+"),
    (lambda raw: raw | {"standard": None}, "are damaged: 'standard' must be an object"),
    (lambda raw: raw | {"standard": raw["standard"] | {"n": 239}},
     "are damaged: 'standard.confusion' must count each row once"),
    (lambda raw: raw | {"standard": raw["standard"] | {"n": True}},
     "are damaged: 'standard.n' must be a whole number, not negative"),
    (lambda raw: raw | {"standard": raw["standard"] | {"confusion": [[240]]}},
     "are damaged: 'standard.confusion' must have a row and a column for each class"),
    (lambda raw: raw | {"standard": raw["standard"] | {"accuracy": 1.5}},
     "are damaged: 'standard.accuracy' must be a share within its interval"),
    (lambda raw: raw | {"standard": raw["standard"] | {"accuracy_interval_95": [0.5]}},
     "are damaged: 'standard.accuracy_interval_95' must have 2 values"),
    (lambda raw: raw | {"parts": raw["parts"] | {"gwa_max": "much"}},
     "are damaged: 'parts.gwa_max' must be a finite number"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), DAMAGES, ids=[said for _, said in DAMAGES])
def test_damage_is_named_in_one_sentence(tmp_path, change, sentence) -> None:
    folder = save_evaluation(tmp_path / "alpha" / "one")
    raw = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(change(raw)))
    with pytest.raises(DataError) as caught:
        read_metrics(folder)
    assert str(caught.value) == f"The saved metrics 'alpha/one' {sentence}."


def test_what_is_no_json_or_not_there_is_a_sentence(tmp_path) -> None:
    with pytest.raises(DataError, match=r"^There is no saved evaluation '.*/gone'\.$"):
        read_metrics(tmp_path / "gone")
    folder = save_evaluation(tmp_path / "alpha" / "one")
    for content in (b"{", b"", b"[" * 100_000, b"\xff\xfe"):
        (folder / "metrics.json").write_bytes(content)
        with pytest.raises(DataError, match=r"^The saved metrics 'alpha/one' (are damaged|cannot)"):
            read_metrics(folder)
