"""Teachers soften the targets of a training run, and must know what is asked of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

from fervt.checkpoint import load_checkpoint, save_checkpoint
from fervt.data.prepared import PreparedData
from fervt.errors import ConfigError, DataError
from fervt.evaluation.run import evaluate_checkpoint
from fervt.files import file_sha256
from fervt.training import loop
from fervt.training.faces import targets_for
from fervt.training.loop import Trainer
from fervt.training.settings import TrainConfig

SETTINGS = TrainConfig(epochs=2, batch_size=16, amp="off", teacher_weight=0.25)


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return tiny.tiny_data()


@pytest.fixture
def teachers(data: PreparedData, tmp_path: Path) -> list[Path]:
    folders = [tmp_path / f"teacher-{seed}" for seed in (1, 2)]
    for seed, folder in enumerate(folders):
        checkpoint = tiny.save_tiny(tmp_path / f"{seed}.safetensors", seed)
        evaluate_checkpoint(checkpoint, data.split("Training"), folder)
    return folders


def test_the_mean_of_their_answers_softens_the_targets(data, teachers, tmp_path) -> None:
    trainer = Trainer(data, tmp_path / "run", tiny.CONFIG, SETTINGS, teachers=teachers)
    training = data.split("Training")
    _, _, hard = targets_for(training, tiny.CONFIG)
    kept = training.other_splits == ""
    names = list(tiny.CONFIG.classes.classes)
    tables = [pd.read_parquet(folder / "tta.parquet")[names].to_numpy() for folder in teachers]
    assert np.abs(tables[0] - tables[1]).max() > 0.01, "two teachers, not one twice"
    expected = 0.75 * hard + 0.25 * (tables[0] + tables[1]) / 2
    assert trainer.fit.targets.numpy() == pytest.approx(expected[kept], abs=1e-6)


def test_a_run_goes_on_with_the_same_teachers_only(data, teachers, tmp_path) -> None:
    def run(*who: Path):
        trainer = Trainer(data, tmp_path / "run", tiny.CONFIG, SETTINGS, teachers=who)
        return trainer.run(resume=True, max_minutes=0)

    run(*teachers)
    with pytest.raises(ConfigError, match="different teacher settings"):
        run(teachers[0])
    run(*teachers)


def test_what_a_teacher_has_seen_its_pupil_has_seen(data, tmp_path) -> None:
    model, info = load_checkpoint(tiny.save_tiny(tmp_path))
    file, folder = tmp_path / "both.safetensors", tmp_path / "both"
    save_checkpoint(file, model, replace(info, labels_seen=("fer2013", "ferplus")))
    evaluate_checkpoint(file, data.split("Training"), folder)
    trainer = Trainer(data, tmp_path / "run", tiny.CONFIG, SETTINGS, teachers=[folder])
    assert trainer.info.labels_seen == ("fer2013", "ferplus")
    assert len(trainer.info.training["teachers"]) == 1


def test_teachers_that_cannot_teach_are_refused(data, teachers, tmp_path) -> None:
    training = data.split("Training")
    some, plus, off = (tmp_path / name for name in ("some", "plus", "off"))
    tiny_file = tiny.save_tiny(tmp_path)
    evaluate_checkpoint(tiny_file, training.select(slice(0, -1)), some)
    evaluate_checkpoint(tiny_file, training, off, neutralize="gwa")
    config = replace(tiny.CONFIG, vocabulary="ferplus")
    evaluate_checkpoint(tiny.save_tiny(tmp_path, config=config), training, plus)
    for folders, settings, message in (
        ([teachers[0], some], SETTINGS, "'some' lacks predictions for some"),
        ([plus], SETTINGS, "does not know FER2013's classes"),
        ([off], SETTINGS, "part switched off"),
        ([tmp_path], SETTINGS, "no saved evaluation"),
        ([], SETTINGS, "need each other"),
        (teachers, replace(SETTINGS, teacher_weight=0.0), "need each other"),
    ):
        with pytest.raises((ConfigError, DataError), match=message):
            Trainer(data, tmp_path / "run", tiny.CONFIG, settings, teachers=folders)
    metrics = json.loads((some / "metrics.json").read_text())
    (some / "metrics.json").write_text(json.dumps({**metrics, "labels_seen": 5}))
    with pytest.raises(DataError):
        Trainer(data, tmp_path / "run", tiny.CONFIG, SETTINGS, teachers=[some])


DISTILL = TrainConfig(epochs=1, batch_size=16, amp="off", mixup=0.2, distill_weight=0.75)


def test_a_distilled_checkpoint_is_asked_about_the_very_views(data, tmp_path, monkeypatch) -> None:
    """Augmented and mixed as the pupil sees them, and in its calibrated probabilities."""
    checkpoint = tiny.save_tiny(tmp_path / "teacher.safetensors", seed=5, temperature=0.5)
    trainer = Trainer(data, tmp_path / "run", tiny.CONFIG, DISTILL, distill=checkpoint)
    given, used = [], []
    forward, loss_of = trainer.parallel.forward, loop.loss_of
    monkeypatch.setattr(
        trainer.parallel,
        "forward",
        lambda images, *rest: given.append(images) or forward(images, *rest),
    )
    monkeypatch.setattr(
        loop,
        "loss_of",
        lambda out, targets, *rest: used.append(targets) or loss_of(out, targets, *rest),
    )
    trainer.run()
    model, info = load_checkpoint(checkpoint)
    ours, theirs = trainer.preprocess, info.preprocess
    assert given and (ours.mean, ours.std) != (theirs.mean, theirs.std)
    for images, targets in zip(given, used, strict=True):
        gray = images * ours.std + ours.mean
        with torch.no_grad():
            logits = model((gray - theirs.mean) / theirs.std).logits
        hard = (targets - 0.75 * (logits / 0.5).softmax(1)) / 0.25
        assert hard.min() > -1e-4 and hard.sum(1).numpy() == pytest.approx(1, abs=1e-4)
        assert ((hard > 1e-4).sum(1) <= 2).all()  # mixup: two labels at most
    assert trainer.info.training["distilled"] == file_sha256(checkpoint)


def test_distilling_needs_its_weight_the_same_classes_and_the_same_window(data, tmp_path) -> None:
    teacher = tiny.save_tiny(tmp_path / "teacher.safetensors")
    with pytest.raises(ConfigError, match="need each other"):
        Trainer(data, tmp_path / "run", tiny.CONFIG, DISTILL)
    with pytest.raises(ConfigError, match="need each other"):
        Trainer(data, tmp_path / "run", tiny.CONFIG, TrainConfig(), distill=teacher)
    other = replace(tiny.CONFIG, vocabulary="ferplus")
    eight = tiny.save_tiny(tmp_path / "eight", config=other)
    with pytest.raises(ConfigError, match="'eight' does not know FER2013's classes"):
        Trainer(data, tmp_path / "run", tiny.CONFIG, DISTILL, distill=eight)
    with pytest.raises(ConfigError, match="sees 28 pixels of a crop of 0"):
        larger = replace(tiny.CONFIG, image_size=42)
        Trainer(data, tmp_path / "run", larger, DISTILL, distill=teacher)


def test_a_run_goes_on_with_the_same_distilled_checkpoint_only(data, tmp_path) -> None:
    one, other = (tiny.save_tiny(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2))
    for checkpoint in (one, one):
        trainer = Trainer(data, tmp_path / "run", tiny.CONFIG, DISTILL, distill=checkpoint)
        trainer.run(resume=True, max_minutes=0)
    with pytest.raises(ConfigError, match="different distilled settings"):
        Trainer(data, tmp_path / "run", tiny.CONFIG, DISTILL, distill=other).run(resume=True)
