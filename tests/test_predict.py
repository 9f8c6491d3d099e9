"""`Predictor` and `fervt predict`: from an image to JSON, and what is said of bad input."""

import csv
import json
import os
import shutil
import threading
import time
import zipfile
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from PIL import Image

from fervt.__main__ import main
from fervt.checkpoint import load_checkpoint
from fervt.errors import ConfigError, ImageError
from fervt.examples import load_example
from fervt.faces import crop_face
from fervt.predict import Predictor, to_face


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return tiny.save_tiny(tmp_path_factory.mktemp("checkpoint"), temperature=2.0)


@pytest.fixture(scope="module")
def predictor(checkpoint: Path) -> Predictor:
    return Predictor(checkpoint)


def test_astronaut_has_one_face_and_probabilities(predictor: Predictor, checkpoint: Path) -> None:
    image = load_example("astronaut")
    (prediction,) = predictor.predict(image)
    left, top, right, bottom = prediction.box_xyxy_px
    assert left < 225 < right
    assert top < 115 < bottom
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-6)
    assert prediction.label == prediction.classes[int(prediction.probabilities.argmax())]
    assert prediction.confidence == prediction.probabilities.max()
    model, info = load_checkpoint(checkpoint)
    face = to_face(crop_face(image, prediction.box_xyxy_px))
    with torch.inference_mode():
        images = info.preprocess.to_input(face[None])
        expected = (model(torch.from_numpy(images)).logits / 2.0).softmax(dim=1)[0].numpy()
    np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-5)
    seen = np.rint(255 * info.preprocess.denormalize(images)[0]).astype(np.uint8)
    assert prediction.model_input.shape == (28, 28, 3)
    assert (prediction.model_input == seen).all()


def test_input_is_the_face_itself_where_nothing_is_cropped(checkpoint: Path) -> None:
    predictor = Predictor(checkpoint)
    random = np.random.default_rng(0)
    gray = random.integers(0, 256, (28, 28), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(gray).resize((96, 96), Image.Resampling.BICUBIC))
    (prediction,) = predictor.predict_whole(np.repeat(smooth[..., None], 3, axis=2))
    area = 44 / 48
    center = Image.fromarray(smooth).crop(tuple(96 * s for s in (
        (1 - area) / 2, (1 - area) / 2, (1 + area) / 2, (1 + area) / 2)))  # fmt: skip
    expected = np.asarray(center.resize((28, 28), Image.Resampling.BOX), np.float64)
    assert np.corrcoef(expected.ravel(), prediction.model_input[..., 0].ravel())[0, 1] > 0.97


def test_faces_come_largest_first_and_boxes_are_respected(predictor: Predictor) -> None:
    small = load_example("astronaut")
    canvas = np.full((700, 1100, 3), 200, np.uint8)
    canvas[:256, :256] = np.asarray(Image.fromarray(small).resize((256, 256)))
    canvas[100:612, 500:1012] = small
    found = predictor.predict(canvas)
    assert [p.box_xyxy_px[0] > 500 for p in found] == [True, False]
    (given,) = predictor.predict(canvas, [(510, 110, 800, 400)])
    assert given.box_xyxy_px == (510, 110, 800, 400)


def test_no_face_gives_no_prediction_but_the_whole_image_can_be_taken(
    predictor: Predictor,
) -> None:
    plain = np.full((90, 130, 3), 120, np.uint8)
    assert predictor.predict(plain) == []
    (whole,) = predictor.predict_whole(plain)
    assert whole.probabilities.shape == (7,)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
    ],
)
def test_what_is_no_image_is_refused(predictor: Predictor, image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="uint8 array"):
        predictor.predict(image)


def test_boxes_outside_are_refused(predictor: Predictor) -> None:
    image = np.zeros((50, 60, 3), np.uint8)
    with pytest.raises(ImageError, match="too large or too narrow"):
        predictor.predict_whole(np.zeros((1, 30_000, 3), np.uint8))
    for box in ((60, 0, 80, 20), (10, 10, 10, 20), (-30, 5, -10, 20)):
        with pytest.raises(ImageError, match="not inside"):
            predictor.predict(image, [box])


def test_threads_get_the_same_answers(predictor: Predictor) -> None:
    image = load_example("astronaut")
    expected = predictor.predict(image)[0].probabilities
    found: list[np.ndarray] = []

    def work() -> None:
        found.extend(predictor.predict(image)[0].probabilities for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    for probabilities in found:
        np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_classify_gives_the_evidence_that_is_asked_for(predictor: Predictor) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (70, 48, 48), dtype=np.uint8)
    plain = predictor.classify(faces)
    assert len(plain) == 70  # more than one pass takes
    assert {r.model_input is r.gwa is r.gat is r.edge_index is None for r in plain} == {True}
    full = predictor.classify(faces, ("gat", "input", "gwa"))
    output, _ = predictor._run(faces)
    expected = (output.logits / 2.0).softmax(dim=1).numpy()
    for i, (bare, reading) in enumerate(zip(plain, full, strict=True)):
        np.testing.assert_allclose(bare.probabilities, expected[i], atol=1e-5)
        np.testing.assert_allclose(reading.probabilities, expected[i], atol=1e-5)
        np.testing.assert_allclose(reading.gwa, output.gwa_weights[i], atol=1e-4)
        assert reading.gat.shape == (len(output.gat_attention), 217, 2)
        np.testing.assert_allclose(reading.gat[1], output.gat_attention[1][i], atol=1e-5)
        assert np.array_equal(reading.edge_index, output.gat_edge_index)
        assert reading.model_input.shape == (28, 28, 3)
    with pytest.raises(FrozenInstanceError):
        full[0].latency_ms = 0.0
    assert predictor.classify(faces[:0]) == []
    assert predictor.classify(faces[:1], ["gwa"])[0].gat is None


def test_the_clock_runs_until_the_answer_lies_in_memory(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU's forward pass returns at once; only fetching the answer waits for it."""
    run = predictor.engine.run

    def run_late(images, outputs):
        time.sleep(0.2)
        return run(images, outputs)

    monkeypatch.setattr(predictor.engine, "run", run_late)
    first, second = predictor.classify(np.zeros((2, 48, 48), np.uint8))
    assert first.latency_ms == second.latency_ms >= 100


@pytest.mark.parametrize(
    "faces",
    [
        np.zeros((48, 48), np.uint8),
        np.zeros((2, 48, 47), np.uint8),
        np.zeros((2, 48, 48), np.float32),
        [[0]],
    ],
)
def test_what_are_no_faces_is_refused(predictor: Predictor, faces: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"shape \(count, 48, 48\)"):
        predictor.classify(faces)


def test_unknown_evidence_devices_and_engines_are_refused(
    predictor: Predictor, checkpoint: Path
) -> None:
    with pytest.raises(ConfigError, match="no evidence 'lime'; known: input, gwa, gat"):
        predictor.classify(np.zeros((1, 48, 48), np.uint8), ["lime"])
    for device in ("tpu", "cuda:77", "meta"):
        with pytest.raises(ConfigError, match=f"no device '{device}'"):
            Predictor(checkpoint, device=device)
    with pytest.raises(ConfigError, match="no engine 'abacus'; known: auto, torch"):
        Predictor(checkpoint, engine="abacus")
    assert Predictor(checkpoint, device="cpu", engine="torch").device == torch.device("cpu")


def test_command_answers_good_images_and_names_bad_ones(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    Image.fromarray(load_example("astronaut")).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("just text")
    paths = [str(tmp_path / n) for n in ("bad.png", "good.png", "gone.png")]
    assert main(["predict", *paths, f"--checkpoint={checkpoint}", "--json"]) == 2
    out, err = capsys.readouterr()
    (answer,) = json.loads(out)
    assert answer["file"] == paths[1]
    assert (answer["width"], answer["height"]) == (512, 512)
    (face,) = answer["faces"]
    assert set(face) == {"box_xyxy_px", "angle_deg", "label", "probabilities", "latency_ms"}
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    lines = err.strip().splitlines()
    assert len(lines) == 2
    assert "bad.png" in lines[0]
    assert "gone.png" in lines[1]


def test_command_writes_a_table_of_a_folder_and_a_zip(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    photos = tmp_path / "photos"
    (photos / "deep").mkdir(parents=True)
    Image.fromarray(load_example("astronaut")).save(photos / "deep" / "good.png")
    (photos / "bad.jpg").write_text("just text")
    (photos / "notes.txt").write_text("no image")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(photos / "deep" / "good.png", "a/zipped.png")
    out = tmp_path / "new" / "table.csv"
    arguments = [str(photos), str(tmp_path / "more.zip"), f"--checkpoint={checkpoint}"]
    assert main(["predict", *arguments, f"--csv={out}"]) == 2
    printed, err = capsys.readouterr()
    assert "2 faces in 2 images" in printed
    assert "bad.jpg" in err
    with out.open(newline="") as file:
        unreadable, first, second = csv.DictReader(file)
    assert "bad.jpg" in unreadable["status"] and not unreadable["face"]
    assert "Left out: 1 file (1 .txt)." in err
    assert first["file"] == str(photos / "deep" / "good.png")
    assert second["file"] == f"{tmp_path / 'more.zip'}/a/zipped.png"
    assert first["label"] == second["label"]
    assert main(["predict", *arguments]) == 2
    assert capsys.readouterr().out.count("face at") == 2
    (tmp_path / "none").mkdir()
    assert main(["predict", str(tmp_path / "none"), f"--checkpoint={checkpoint}"]) == 2
    assert "contains no images" in capsys.readouterr().err


def test_odd_names_and_empty_archives(checkpoint: Path, tmp_path: Path, capsys) -> None:
    photos, out = tmp_path / "photos", tmp_path / "table.csv"
    photos.mkdir()
    Image.new("RGB", (60, 40)).save(photos / "plain.png")
    shutil.copy(photos / "plain.png", os.fsencode(photos / "caf") + b"\xe9.png")
    options = [f"--checkpoint={checkpoint}", "--whole-image"]
    assert main(["predict", str(photos), *options, f"--csv={out}"]) == 0
    assert f"{photos}/caf?.png" in out.read_text(encoding="utf-8")
    assert main(["predict", str(photos), *options]) == 0
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "no images")
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "empty.zip"), *options]) == 2
    assert "empty.zip' contains no images" in capsys.readouterr().err


def test_command_in_words(checkpoint: Path, tmp_path: Path, capsys) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "plain.png")
    path = str(tmp_path / "plain.png")
    assert main(["predict", path, f"--checkpoint={checkpoint}"]) == 0
    assert "no face found" in capsys.readouterr().out
    assert main(["predict", path, f"--checkpoint={checkpoint}", "--whole-image"]) == 0
    assert "apparent expressions" in capsys.readouterr().out


def test_command_refuses_an_unknown_checkpoint(tmp_path: Path, capsys) -> None:
    assert main(["predict", "x.png", "--checkpoint=nope"]) == 2
    assert capsys.readouterr().err.startswith("fervt: There is no checkpoint 'nope'")


def test_no_answer_is_printed_as_certain(tmp_path, checkpoint, monkeypatch, capsys) -> None:
    certain = np.array([0.999, 0.001, 0, 0, 0, 0, 0], np.float32)
    Image.fromarray(tiny.draw_faces(np.array([3]))[0]).save(tmp_path / "face.png")
    predict = Predictor.predict_whole
    monkeypatch.setattr(
        Predictor,
        "predict_whole",
        lambda self, *image: [replace(f, probabilities=certain) for f in predict(self, *image)],
    )
    command = ["predict", str(tmp_path / "face.png"), "--whole-image"]
    assert main([*command, f"--checkpoint={checkpoint}"]) == 0
    said = capsys.readouterr().out
    assert ">99%" in said and "<1%" in said
