"""Saved evaluations: what the files hold, that they follow from the model, and bad ones."""

from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

from fervt.__main__ import main
from fervt.checkpoint import load_checkpoint, save_checkpoint
from fervt.data.folders import DRAWN_FROM_TRAIN
from fervt.data.prepared import write_prepared
from fervt.errors import DataError
from fervt.evaluation.metrics import read_metrics
from fervt.evaluation.predictions import read_predictions
from fervt.evaluation.run import attention_entropy, evaluate_checkpoint, labels_in, run_model
from fervt.labels import FER2013, FERPLUS
from fervt.metrics import score, softmax
from fervt.model import FERVTGNN
from fervt.model.graph import grid_edges


@pytest.fixture(scope="module")
def data():
    return tiny.tiny_data()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return tiny.save_tiny(tmp_path_factory.mktemp("checkpoint"), temperature=1.5)


@pytest.fixture(scope="module")
def saved(checkpoint, data, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("evaluation")
    evaluate_checkpoint(checkpoint, data.split("PrivateTest"), out)
    return out


def test_files_hold_what_the_model_says(saved: Path, checkpoint: Path, data) -> None:
    private = data.split("PrivateTest")
    table = read_predictions(saved / "predictions.parquet", FER2013)
    assert list(table.columns) == [
        "row", "image_sha256", "usage", "label", "label_fer2013", "label_ferplus", "is_copy",
        *FER2013.classes,
    ]  # fmt: skip
    assert (table["row"] == private.row).all()
    assert (table["image_sha256"] == private.sha256).all()
    assert table["is_copy"].tolist() == [True] + [False] * 41
    assert all(table[name].dtype == np.float32 for name in FER2013.classes)
    model, info = load_checkpoint(checkpoint)
    with torch.inference_mode():
        images = torch.from_numpy(info.preprocess.to_input(private.images))
        plain, mirrored = (model(x).logits.softmax(1).numpy() for x in (images, images.flip(-1)))
    names = list(FER2013.classes)
    np.testing.assert_allclose(table[names], plain, atol=1e-5)
    tta = read_predictions(saved / "tta.parquet", FER2013)
    np.testing.assert_allclose(tta[names], (plain + mirrored) / 2, atol=1e-5)
    embeddings = np.load(saved / "embeddings.npz")
    assert embeddings["class_token"].shape == (42, 16)
    assert (embeddings["image_sha256"] == private.sha256).all()


def test_metrics_follow_from_the_table(saved: Path, data) -> None:
    metrics = read_metrics(saved)
    table = pd.read_parquet(saved / "predictions.parquet")
    names = list(FER2013.classes)
    expected = score(table[names].to_numpy(), table["label"].to_numpy(), FER2013.classes, 1.5)
    assert metrics.standard == expected
    assert metrics.without_copies.n == 41
    assert metrics.data.content_hash == data.content_hash
    assert len(metrics.checkpoint.sha256) == 64
    assert metrics.tta.standard.n == 42
    assert metrics.vocabulary is FER2013
    assert 0 < metrics.parts.gat_relative_entropy <= 1


def test_batches_do_not_change_the_answer(checkpoint: Path, data) -> None:
    model, info = load_checkpoint(checkpoint)
    first = run_model(model, info.preprocess, data.images, batch_size=64).logits
    second = run_model(model, info.preprocess, data.images, batch_size=5).logits
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_neutralizing_replaces_the_part(checkpoint: Path, data) -> None:
    model, info = load_checkpoint(checkpoint)
    faces = data.split("PublicTest").images
    plain = run_model(model, info.preprocess, faces)
    even = run_model(model, info.preprocess, faces, neutralize="gwa")
    assert even.gwa_weights is not None
    assert (even.gwa_weights == 1).all()
    assert np.abs(even.logits - plain.logits).max() > 1e-4
    deaf = run_model(model, info.preprocess, faces, neutralize="gnn")
    assert deaf.gnn_logits is not None
    assert np.ptp(deaf.gnn_logits, axis=0).max() < 1e-5
    without = FERVTGNN(replace(tiny.CONFIG, use_gwa=False))
    with pytest.raises(DataError, match="no GWA"):
        run_model(without, info.preprocess, faces, neutralize="gwa")


def test_the_model_keeps_its_mode(checkpoint: Path, data) -> None:
    model, info = load_checkpoint(checkpoint)
    run_model(model.train(), info.preprocess, data.images[:3])
    assert model.training


def test_entropy_is_one_for_even_attention_and_zero_for_certain() -> None:
    edges = grid_edges()
    degree = torch.bincount(edges[1]).float()
    even = (1 / degree[edges[1]]).view(1, -1, 1).expand(2, -1, 3)
    torch.testing.assert_close(attention_entropy(even, edges), torch.ones(2))
    loops = (edges[0] == edges[1]).float().view(1, -1, 1)
    torch.testing.assert_close(attention_entropy(loops, edges), torch.zeros(1), atol=1e-5, rtol=0)


def test_labels_cross_vocabularies(data) -> None:
    own = data.label_fer2013
    assert (labels_in(FER2013, FER2013, data) == own).all()
    # tiny's votes agree with its labels, so FER+ truth in FER2013's classes is the same label.
    crossed = labels_in(FER2013, FERPLUS, data)
    assert crossed[3] == -1
    assert (np.delete(crossed, 3) == np.delete(own, 3)).all()
    plus = labels_in(FERPLUS, FER2013, data)
    assert [FERPLUS.classes[i] for i in plus[:3]] == ["anger"] * 3


def test_other_label_set_by_command(checkpoint: Path, data, tmp_path: Path, capsys) -> None:
    """The rows follow from the labels that are asked for: one of them has no majority of votes."""
    votes = data.votes.copy()
    undecided = np.flatnonzero(data.usage == "PublicTest")[5]
    votes[undecided] = 1
    write_prepared(replace(data, votes=votes), tmp_path / "data.parquet")
    found = {}
    for labels in ("fer2013", "ferplus"):
        out = tmp_path / labels
        code = main(
            ["evaluate", f"--checkpoint={checkpoint}", f"--data={tmp_path / 'data.parquet'}",
             "--split=PublicTest", f"--out={out}", f"--labels={labels}"]
        )  # fmt: skip
        assert code == 0
        found[labels] = read_metrics(out)
        assert f"n = {found[labels].standard.n}" in capsys.readouterr().out
        assert found[labels].labels == labels
        assert found[labels].data.split == "PublicTest"
    assert (found["fer2013"].standard.n, found["ferplus"].standard.n) == (42, 41)


def _spoil(saved: Path, out: Path, change) -> Path:
    table = pd.read_parquet(saved / "predictions.parquet")
    change(table).to_parquet(out / "predictions.parquet")
    return out / "predictions.parquet"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.drop(columns="usage"), "lacks the column 'usage'"),
        (lambda t: t.rename(columns={"happy": "glad"}), "other class columns"),
        (lambda t: t.assign(sad=np.nan), "not finite"),
        (lambda t: t.assign(sad=-0.1), "negative"),
        (lambda t: t.assign(sad=t["sad"] + 0.5), "don't sum to 1"),
        (lambda t: t.assign(label=9), "outside its 7 classes"),
        (lambda t: t.assign(label_fer2013=12), "FER2013 does not have"),
        (lambda t: t.assign(label_ferplus=-3), r"FER\+ does not have"),
        (lambda t: t.assign(sad="much"), "wrong kind"),
        (lambda t: t.assign(is_copy=5), "wrong kind"),
    ],
)
def test_spoilt_tables_are_refused(saved: Path, tmp_path: Path, change, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_predictions(_spoil(saved, tmp_path, change), FER2013)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "predictions.parquet").write_text("hello")
    with pytest.raises(DataError, match="not a parquet file"):
        read_predictions(tmp_path / "predictions.parquet", FER2013)
    with pytest.raises(DataError, match="no evaluation"):
        read_predictions(tmp_path / "gone.parquet", FER2013)


def test_nothing_to_evaluate_is_a_sentence(checkpoint: Path, data, tmp_path: Path) -> None:
    model, info = load_checkpoint(checkpoint)
    with pytest.raises(DataError, match="no faces"):
        run_model(model, info.preprocess, data.images[:0])
    voteless = replace(data, votes=np.zeros_like(data.votes))
    with pytest.raises(DataError, match=r"no .* has a FER\+ label|No row"):
        evaluate_checkpoint(checkpoint, voteless, tmp_path, labels="ferplus")
    assert not list(tmp_path.iterdir())


def test_faces_are_held_out_only_if_the_split_says_so(checkpoint: Path, data, tmp_path) -> None:
    """FER2013's own PublicTest is in the test folder, and its train is what PublicTest is from."""
    drawn = replace_rule(data, f"{DRAWN_FROM_TRAIN}10% of each class of train")
    assert evaluate_checkpoint(checkpoint, data.split("PrivateTest"), tmp_path).data.held_out
    metrics = evaluate_checkpoint(checkpoint, drawn.split("PrivateTest"), tmp_path)
    assert not metrics.data.held_out and read_metrics(tmp_path) == metrics
    model, info = load_checkpoint(checkpoint)
    save_checkpoint(
        tmp_path / "own.safetensors", model, replace(info, data_hash=drawn.content_hash)
    )
    metrics = evaluate_checkpoint(
        tmp_path / "own.safetensors", drawn.split("PrivateTest"), tmp_path / "own"
    )
    assert metrics.data.held_out, "trained on the same file, split in the same way"


def replace_rule(data, rule: str):
    changed = copy(data)
    object.__setattr__(changed, "split_rule", rule)
    return changed


def test_softmax_rows_sum_to_one() -> None:
    np.testing.assert_allclose(softmax(np.array([[1000.0, 0.0], [3.0, 3.0]])).sum(axis=1), 1)
