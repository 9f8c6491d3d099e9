"""Evidence beside predictions: measured, stored, read back, and refused where it doesn't belong."""

from io import BytesIO

import numpy as np
import pytest
import tiny
from drawn_evidence import save_evidence
from synthetic import save_evaluation

from fervt.__main__ import main
from fervt.data.prepared import write_prepared
from fervt.data.transforms import Preprocess
from fervt.errors import DataError
from fervt.evaluation.beside import hash_rows
from fervt.evaluation.evidence import FILE, read_evidence_file, shorten
from fervt.evaluation.measures import MEASURES, measure_faces
from fervt.evaluation.measuring import mean_face, measure_evidence
from fervt.evaluation.more_files import MORE_FILES
from fervt.evaluation.saved import read_evaluation
from fervt.explain import Target, explain_face
from fervt.explain.batch import read_evidence
from fervt.predict import Predictor


@pytest.fixture(scope="module")
def predictor(tmp_path_factory) -> Predictor:
    return Predictor(tiny.save_tiny(tmp_path_factory.mktemp("evidence"), temperature=1.4))


def test_a_batch_says_what_each_face_alone_says(predictor) -> None:
    faces = tiny.draw_faces(np.arange(5), 2)
    batch = read_evidence(predictor, faces, occlusion=True)
    for i, face in enumerate(faces):
        alone = explain_face(predictor, face)
        assert alone.predicted == Target(int(batch.predicted[i]))
        maps = alone.maps(alone.predicted)
        assert set(maps) == set(batch.maps)
        for source, values in maps.items():
            assert batch.maps[source][i].reshape(7, 7) == pytest.approx(values, abs=2e-5), source


def test_half_precision_is_within_its_promise() -> None:
    values = np.random.default_rng(0).gamma(1, 2, 10_000)
    short = shorten(values)
    assert short.dtype == np.float16
    assert np.abs(short / values - 1).max() < 0.0045
    assert (short.view(np.uint16) & 7 == 0).all()
    assert (shorten(np.array([0.0, -1.5, 2.0])) == [0.0, -1.5, 2.0]).all()


def test_what_is_measured_in_a_picture() -> None:
    data = tiny.tiny_data(3)
    dark, flat = data.images.copy() // 2, data.images.copy()
    flat[:] = 90
    plain, halved = measure_faces(data), measure_faces(replaced(data, dark))
    even = measure_faces(replaced(data, flat))
    assert list(plain) == [name for name in MEASURES if name != "confidence"]
    assert halved["brightness"] == pytest.approx(plain["brightness"] / 2, abs=0.5)
    assert (halved["sharpness"] < plain["sharpness"]).all()
    assert (even["contrast"] == 0).all() and (even["sharpness"] == 0).all()
    assert ((plain["tilt"] >= 0) & (plain["tilt"] <= 180)).all()
    assert plain["agreement"][0] == pytest.approx(0.8)
    assert plain["agreement"][3] == pytest.approx(0.1)
    silent = replaced(data, data.images, votes=np.zeros_like(data.votes))
    assert np.isnan(measure_faces(silent)["agreement"]).all()


def replaced(data, images, **changes):
    from dataclasses import replace

    return replace(data, images=images, **changes)


def test_a_stored_mean_face_is_nobodys() -> None:
    faces = np.random.default_rng(0).integers(0, 255, (30, 48, 48), dtype=np.uint8)
    assert (mean_face(faces[:19]) == 127).all()
    assert mean_face(faces) == pytest.approx(faces.mean(axis=0), abs=0.5)


@pytest.fixture
def saved(predictor, tmp_path):
    """A folder with predictions and evidence of the same faces."""
    data = tiny.tiny_data(6).split("PublicTest")
    evidence = measure_evidence(lambda *_: None, predictor, data, data.label_fer2013)
    folder = save_evaluation(
        tmp_path / "alpha", count=len(data), shas=data.sha256.tolist(),
        checkpoint_sha256=predictor.sha256,
    )  # fmt: skip
    evidence.write(folder)
    return folder, data, evidence


def test_what_was_stored_is_read_back(saved, predictor) -> None:
    folder, data, evidence = saved
    found = read_evaluation(folder).evidence()
    assert found is not None and len(found) == len(data)
    for source, values in evidence.maps.items():
        assert found.maps[source] == pytest.approx(values, rel=0.005, abs=1e-4)
    assert found.edges is not None and evidence.edges is not None
    read = read_evidence(predictor, data.images).edges
    assert read is not None
    every = found.edges.attention(np.arange(len(data)))
    assert every == pytest.approx(read, abs=0.5 / 255 + 1e-6)
    assert (found.edges.attention(np.array([3, 1])) == every[[3, 1]]).all()
    sums = np.zeros((49, len(data)))  # attention sums to 1 over the edges into a target
    np.add.at(sums, found.edges.index[1], every.T)
    assert sums == pytest.approx(1, abs=5 * 0.5 / 255)
    received = found.maps["gat"].mean(axis=1, dtype=float)
    assert received == pytest.approx(1, abs=0.01)


def test_evidence_of_something_else_is_refused(saved) -> None:
    folder, data, evidence = saved
    digests = data.sha256.tolist()

    def read(checkpoint=evidence.checkpoint_sha256, rows=digests, classes=7):
        return read_evidence_file(folder, checkpoint, rows, classes)

    with pytest.raises(DataError, match="another checkpoint"):
        read(checkpoint="f" * 64)
    with pytest.raises(DataError, match="other rows"):
        read(rows=digests[::-1])
    with pytest.raises(DataError, match="'mean_faces' should have the shape"):
        read(classes=8)


@pytest.mark.parametrize("damage", ["cut", "no array", "shape", "nan", "no about", "version"])
def test_damage_is_named_and_never_shown(saved, damage: str) -> None:
    folder, _, _ = saved
    arrays = dict(np.load(BytesIO((folder / FILE).read_bytes())))
    if damage == "no array":
        arrays = {"about": arrays["about"]}
    elif damage == "shape":
        arrays["map_gwa"] = arrays["map_gwa"][:, :40]
    elif damage == "nan":
        arrays["map_gwa"][2, 3] = np.nan
    elif damage == "no about":
        del arrays["about"]
    elif damage == "version":
        arrays["about"] = np.array(str(arrays["about"]).replace('"version": 2', '"version": 99'))
    np.savez(folder / FILE, **arrays)
    if damage == "cut":
        (folder / FILE).write_bytes((folder / FILE).read_bytes()[:300])
    with pytest.raises(DataError, match=r"damaged|another version"):
        read_evaluation(folder).evidence()


def put(at, value):
    """A damage that sets one value."""

    def damage(values: np.ndarray) -> np.ndarray:
        values = values.copy()
        values[at] = value
        return values

    return damage


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("map_gwa", lambda v: v.astype(str)),
        ("map_gwa", lambda v: v.astype(complex)),
        ("map_gat", lambda v: v > 1),
        ("map_gat", lambda v: np.full(v.shape, 1e9)),
        ("measure_brightness", lambda v: v.astype(str)),
        ("measure_brightness", put(0, np.inf)),
        ("edge_index", lambda v: np.array(3)),
        ("edge_index", lambda v: v.astype(float)),
        ("edge_index", put((0, 0), 49)),
        ("edge_index", put((1, 2), -1)),
        ("edge_index", lambda v: v.astype(np.uint64) + np.uint64(2**63)),
        ("edge_steps", lambda v: v.astype(np.int16) - 300),
        ("edge_steps", lambda v: v.astype(int) + 300),
        ("edge_steps", lambda v: v.astype(float)),
        ("edge_steps", lambda v: v.astype("S3")),
        ("edge_steps", lambda v: v[:, :5]),
        ("mean_face", lambda v: v.astype(float)),
        ("mean_faces", lambda v: v.astype(int) + 300),
        ("mean_face", lambda v: v.astype("U3")),
        ("crop", lambda v: np.array(0.0)),
        ("crop", lambda v: np.array(np.nan)),
        ("crop", lambda v: np.array([0.5])),
        ("crop", lambda v: v.astype(str)),
    ],
)
def test_values_that_an_array_cannot_have_are_damage(tmp_path, name, damage) -> None:
    folder = save_evaluation(tmp_path / "alpha")
    save_evidence(folder)
    assert read_evaluation(folder).evidence() is not None
    arrays = dict(np.load(BytesIO((folder / FILE).read_bytes())))
    arrays[name] = damage(arrays[name])
    np.savez(folder / FILE, **arrays)
    with pytest.raises(DataError, match=f"damaged: '{name}'|damaged: 'edge_"):
        read_evaluation(folder).evidence()


def test_evidence_says_how_much_of_a_face_its_checkpoint_sees(tmp_path) -> None:
    predictor = Predictor(tiny.save_tiny(tmp_path, crop=0.6))
    data = tiny.tiny_data().split("PrivateTest")
    labels = np.zeros(len(data), np.int64)
    evidence = measure_evidence(lambda *_: None, predictor, data, labels)
    folder = save_evaluation(
        tmp_path / "alpha", count=len(data), shas=data.sha256.tolist(),
        checkpoint_sha256=predictor.sha256,
    )  # fmt: skip
    evidence.write(folder)
    found = read_evaluation(folder).evidence()
    assert found is not None and found.crop == 0.6


def test_a_file_that_does_not_say_its_crop_has_the_usual_one(tmp_path) -> None:
    folder = save_evaluation(tmp_path / "alpha")
    save_evidence(folder)
    arrays = dict(np.load(BytesIO((folder / FILE).read_bytes())))
    del arrays["crop"]
    np.savez(folder / FILE, **arrays)
    found = read_evaluation(folder).evidence()
    assert found is not None and found.crop == Preprocess.crop


def test_an_evaluation_without_evidence_says_so(tmp_path) -> None:
    evaluation = read_evaluation(save_evaluation(tmp_path / "alpha"))
    assert evaluation.evidence() is None and evaluation.robustness() is None
    assert not set(MORE_FILES) & set(evaluation.as_files())


def test_the_zip_of_an_evaluation_takes_its_evidence_along(saved) -> None:
    folder, _, _ = saved
    files = read_evaluation(folder).as_files()
    assert files[FILE]
    again = folder.parent / "again"
    again.mkdir()
    for name, content in files.items():
        (again / name).write_bytes(content)
    assert read_evaluation(again).evidence() is not None


def test_the_command_stores_both_and_goes_on(tmp_path, capsys) -> None:
    write_prepared(tiny.tiny_data(3), tmp_path / "data.parquet")
    checkpoint = tiny.save_tiny(tmp_path)
    out = tmp_path / "out"
    words = ["evaluate", "--checkpoint", str(checkpoint), "--data", str(tmp_path / "data.parquet")]
    words += ["--split", "PublicTest", "--out", str(out)]
    more = ["--evidence", "--occlusion", "--corruptions", "--sample", "0"]
    assert main([*words, *more]) == 0
    printed = capsys.readouterr().out
    assert "Evidence of 21 faces: gwa, gat, grad_cam, occlusion." in printed
    assert "Less light: " in printed and "Mean corruption error" in printed
    evaluation = read_evaluation(out)
    evidence, robustness = evaluation.evidence(), evaluation.robustness()
    assert evidence is not None and robustness is not None and len(robustness) == 21
    assert evidence.rows_sha256 == hash_rows(evaluation.plain["image_sha256"])
    before = (out / "robustness.npz").read_bytes()
    assert main([*words, *more]) == 0  # whole already: only the faces as they are, to check
    assert read_evaluation(out).robustness().is_whole
    assert len((out / "robustness.npz").read_bytes()) == len(before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--occlusion"], "--occlusion needs --evidence"),
        (["--sample", "5"], "--sample is the number"),
        (["--corruptions", "--sample", "-1"], "--sample is the number"),
        (["--evidence", "--neutralize", "gwa"], "leave out --neutralize"),
        (["--corruptions", "--neutralize", "gnn"], "leave out --neutralize"),
        (["--five-crop", "--neutralize", "gnn"], "--five-crop measures the whole model"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message, tmp_path, capsys) -> None:
    words = ["evaluate", "--data", "x.parquet", "--out", str(tmp_path / "o"), *options]
    assert main(words) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_evaluating_anew_keeps_only_what_still_belongs(tmp_path) -> None:
    write_prepared(tiny.tiny_data(3), tmp_path / "data.parquet")
    one, two = (tiny.save_tiny(tmp_path / f"{n}.safetensors", seed=n) for n in (1, 2))
    out = tmp_path / "out"

    def evaluate(checkpoint, *more) -> None:
        words = ["evaluate", "--checkpoint", str(checkpoint), "--out", str(out), *more]
        words += ["--data", str(tmp_path / "data.parquet"), "--split", "PublicTest"]
        assert main(words) == 0

    evaluate(one, "--evidence", "--corruptions", "--sample", "7", "--parts", "--five-crop")
    evaluate(one)
    assert all((out / name).is_file() for name in MORE_FILES)
    evaluate(two)
    assert not any((out / name).exists() for name in MORE_FILES)
    evaluate(two, "--evidence")
    evaluate(two, "--neutralize", "gwa")
    assert not any((out / name).exists() for name in MORE_FILES)
    (out / FILE).write_bytes(b"nothing")
    evaluate(two)
    assert not (out / FILE).exists()
