"""`fervt explain`: what it writes, and what it says when it can't."""

import base64
import hashlib
import io
import json
import re
import zipfile

import cv2
import numpy as np
import pytest
import tiny
import torch
from drawn_evidence import save_parts
from html_tags import Tags
from synthetic import save_evaluation

from fervt.__main__ import main
from fervt.checkpoint import CheckpointInfo, save_checkpoint
from fervt.data.transforms import Preprocess
from fervt.evaluation.certainty import UNMEASURED
from fervt.examples import load_example
from fervt.explain import Target, explain_face
from fervt.files import file_sha256
from fervt.model import FERVTGNN, FERVTConfig
from fervt.predict import Predictor, to_face
from fervt.reports.explanation import bundle_files, write_bundle, zip_bundle

OVERLAYS = {"gwa.png", "gat.png", "grad_cam.png", "occlusion.png", "gat_graph.png"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny.save_tiny(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "astronaut <b>.png"
    cv2.imwrite(str(path), load_example("astronaut")[..., ::-1])
    return path


def explain(image, out, checkpoint, *options: str) -> int:
    return main(
        ["explain", str(image), "--out", str(out), "--checkpoint", str(checkpoint), *options]
    )


def test_everything_is_written_and_self_contained(image, checkpoint, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert explain(image, out, checkpoint, "--target", "fear", "--against", "surprise") == 0
    assert {p.name for p in out.iterdir()} == OVERLAYS | {
        "explanation.html", "arrays.npz", "model_input.png",
    }  # fmt: skip
    assert "Fearful, not Surprised" in capsys.readouterr().out
    page = (out / "explanation.html").read_text()
    assert "Fearful, not Surprised" in page and "not felt emotions" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"']?(https?:)?//", page)
    for name in OVERLAYS:
        assert cv2.imread(str(out / name)).shape == (448, 448, 3)
    assert cv2.imread(str(out / "model_input.png")).shape == (28, 28, 3)
    with np.load(out / "arrays.npz", allow_pickle=False) as arrays:
        assert arrays["gwa_weights"].shape == (7, 7)
        assert arrays["gat_attention"].shape == (2, 217, 2)
        assert arrays["hidden_probabilities"].shape == (7, 7, 7)
        about = json.loads(str(arrays["about"]))
        assert about["target"] == "Fearful, not Surprised"
        plain, hidden = arrays["probabilities"], arrays["hidden_probabilities"]
        drop = (plain[2] - plain[5]) - (hidden[..., 2] - hidden[..., 5])
        np.testing.assert_allclose(arrays["evidence_occlusion"], drop, atol=1e-6)


def test_the_page_begins_with_the_photo_its_date_and_the_checkpoint(image, checkpoint, tmp_path):
    assert explain(image, tmp_path, checkpoint) == 0
    page = Tags((tmp_path / "explanation.html").read_text())
    first = next(dict(found) for tag, found in page.tags if tag == "img")
    assert first["alt"] == "astronaut <b>.png with the explained face boxed"
    photo = np.frombuffer(base64.b64decode(first["src"].split(",")[1]), np.uint8)
    whole = load_example("astronaut")
    assert cv2.imdecode(photo, cv2.IMREAD_COLOR).shape == whole.shape
    assert all(dict(found).get("alt") for tag, found in page.tags if tag == "img")
    said = " ".join(page.texts[: page.texts.index("GWA")])
    assert re.search(r"\b20\d\d-\d\d-\d\d\b", said)
    assert hashlib.sha256(checkpoint.read_bytes()).hexdigest() in said
    assert "Hiding" in said or "hiding" in said


@pytest.mark.parametrize("share", [0.93, 0.43])
def test_the_page_says_that_a_map_is_the_same_for_every_face(
    image, checkpoint, tmp_path, monkeypatch, share
):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    digest = file_sha256(checkpoint)
    save_parts(save_evaluation(tmp_path / "tiny" / "x", checkpoint_sha256=digest), share=share)
    explain(image, tmp_path / "out", checkpoint)
    page = (tmp_path / "out" / "explanation.html").read_text()
    said = "Nearly the same for every face: the average map explains 93% of its variance."
    assert (said in page) == (share > 0.6)


def test_the_answer_is_called_unsure_below_the_given_threshold(checkpoint):
    predictor = Predictor(checkpoint)
    face = predictor.predict_whole(load_example("astronaut"))[0]
    target = Target.named(predictor.classes, face.label, None)
    found = predictor, explain_face(predictor, to_face(face.crop)), target, face.crop
    for threshold, unsure in ((0.0, False), (0.999, True), (None, face.confidence < UNMEASURED)):
        page = bundle_files(*found, threshold=threshold)["explanation.html"].decode()
        assert ("Unsure:" in page) == unsure


def test_the_page_is_light_enough_to_mail_whatever_the_photo(checkpoint, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (1500, 2000, 3), np.uint8)  # packs worst
    cv2.imwrite(str(tmp_path / "noise.png"), noise)
    assert explain(tmp_path / "noise.png", tmp_path, checkpoint, "--whole-image") == 0
    assert (tmp_path / "explanation.html").stat().st_size < 1_500_000
    assert "<script" not in (tmp_path / "explanation.html").read_text()


def test_a_checkpoint_without_graph_and_gwa_says_so(image, tmp_path):
    config = FERVTConfig(**{**vars(tiny.CONFIG), "use_gnn": False, "use_gwa": False})
    path = tmp_path / "bare.safetensors"
    torch.manual_seed(0)
    save_checkpoint(path, FERVTGNN(config), CheckpointInfo(config, Preprocess(28, 0.5, 0.25)))
    assert explain(image, tmp_path / "out", path) == 0
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names.isdisjoint({"gwa.png", "gat.png", "gat_graph.png"})
    assert "This checkpoint has no such part." in (tmp_path / "out/explanation.html").read_text()


def test_the_photo_is_never_written_over(image, checkpoint, tmp_path, capsys):
    photo = tmp_path / "model_input.png"
    photo.write_bytes(image.read_bytes())
    assert explain(photo, tmp_path, checkpoint) == 2
    assert "would overwrite the source" in capsys.readouterr().err
    assert photo.read_bytes() == image.read_bytes() and list(tmp_path.iterdir()) == [photo]


def test_a_bundle_replaces_the_whole_of_an_earlier_one(tmp_path):
    write_bundle(tmp_path, {"explanation.html": b"old", "gat.png": b"old", "gat_graph.png": b"old"})
    (tmp_path / "mine.png").write_bytes(b"kept")
    write_bundle(tmp_path, {"explanation.html": b"new", "gwa.png": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "explanation.html": b"new",
        "gwa.png": b"new",
        "mine.png": b"kept",
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--target", "joy"), "'joy' is not a class of FER2013"),
        (("--target", "sad", "--against", "sad"), "contrasted with itself"),
        (("--face", "2"), "there is no number 2"),
    ],
)
def test_a_wrong_wish_is_one_line_and_nothing_is_written(
    image, checkpoint, tmp_path, capsys, options, sentence
):
    assert explain(image, tmp_path / "out", checkpoint, *options) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and "\n" not in said
    assert not (tmp_path / "out").exists()


def test_an_image_without_a_face_says_what_to_do(checkpoint, tmp_path, capsys):
    path = tmp_path / "gray.png"
    cv2.imwrite(str(path), np.full((90, 120, 3), 128, np.uint8))
    assert explain(path, tmp_path / "out", checkpoint) == 2
    assert "--whole-image" in capsys.readouterr().err
    assert explain(path, tmp_path / "out", checkpoint, "--whole-image") == 0


def test_the_zip_holds_the_files():
    with zipfile.ZipFile(io.BytesIO(zip_bundle({"a.png": b"1", "b.html": b"22"}))) as archive:
        assert archive.read("b.html") == b"22" and archive.namelist() == ["a.png", "b.html"]
