"""A model is scored on prepared files, folders and zip files."""

import json
import zipfile
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import tiny
import zips

import fervt
from fervt.data.prepared import write_prepared
from fervt.errors import FervtError
from fervt.evaluation.saved import read_evaluation
from fervt.labels import FER2013


def test_a_zip_and_its_folder_are_evaluated_alike(model, tmp_path):
    content = zips.labeled_zip(10)
    (tmp_path / "faces.zip").write_bytes(content)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        archive.extractall(tmp_path / "faces")
    shares: list[float] = []
    packed = fervt.evaluate(
        model, tmp_path / "faces.zip", progress=lambda share, doing: shares.append(share)
    )
    folder = fervt.evaluate(model, str(tmp_path / "faces"))
    assert shares == sorted(shares) and shares[-1] == 1
    pd.testing.assert_frame_equal(packed.to_pandas(), folder.to_pandas())
    table = folder.to_pandas()
    assert len(table) == folder.n == packed.n == 10
    assert folder.accuracy == table["right"].mean() == (table["label"] == table["predicted"]).mean()
    low, high = folder.accuracy_interval_95
    assert 0 <= low <= folder.accuracy <= high <= 1
    assert (table["label"] == table["file"].str.split("/").str[0]).all()
    np.testing.assert_allclose(table[list(FER2013.classes)].sum(axis=1), 1, atol=1e-5)
    assert repr(folder).startswith("<fervt.EvaluationResult: tiny on faces: accuracy ")
    assert "n = 10>" in repr(folder) and "Each image was read whole" in folder.notes[0]


def test_a_prepared_file_is_evaluated_and_saved(model, tmp_path):
    data = tiny.tiny_data()
    write_prepared(data, tmp_path / "data.parquet")
    result = fervt.evaluate(model, tmp_path / "data.parquet")
    assert (result.split, result.n) == ("PrivateTest", 42)
    assert fervt.evaluate(model, tmp_path / "data.parquet", split="Training").n == 84
    assert set(result.to_pandas()["file"]) == {""}
    paths = result.save(tmp_path / "new")
    assert {path.name for path in paths} >= {"predictions.parquet", "metrics.json"}
    assert json.loads((tmp_path / "new" / "metrics.json").read_text())["standard"]["n"] == 42


def test_saving_over_another_evaluation_keeps_nothing_of_it(model, tmp_path):
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    folder = tmp_path / "saved"
    first = fervt.evaluate(model, tmp_path / "data.parquet", split="PublicTest")
    first.atlas()
    assert folder / "evidence.npz" in first.save(folder)
    second = fervt.evaluate(model, tmp_path / "data.parquet")
    second.save(folder)
    saved = read_evaluation(folder)
    assert saved.split == "PrivateTest" and saved.evidence() is None
    second.atlas()
    second.save(folder)
    fervt.evaluate(model, tmp_path / "data.parquet").save(folder)
    assert read_evaluation(folder).evidence() is not None, "it is of the same predictions"


def test_what_cannot_be_evaluated_is_one_sentence(model, tmp_path):
    write_prepared(tiny.tiny_data().split("Training"), tmp_path / "data.parquet")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no data")
    (tmp_path / "faces.zip").write_bytes(zips.labeled_zip(3))
    data = tmp_path / "data.parquet"
    for arguments, options, sentence in (
        (("flagship", data), {}, r"must come from fervt\.load\(\), not be a str"),
        ((model, None), {}, "source must be a path, not NoneType"),
        ((model, tmp_path / "gone"), {}, "There is no file or folder '.*gone'"),
        ((model, "x" * 5000), {}, "There is no file or folder 'xxx"),
        ((model, "a\0b"), {}, "There is no file or folder 'a"),
        ((model, tmp_path / "text.txt"), {}, "is not a prepared file"),
        ((model, tmp_path / "empty"), {}, "'empty' contains no labeled image"),
        ((model, data), {}, "has no PrivateTest rows; it has Training"),
        ((model, data), {"split": "test"}, "has no test rows"),
        ((model, data), {"split": "Training", "find_faces": True}, "find_faces is for pictures"),
        ((model, tmp_path / "faces.zip"), {"split": "PrivateTest"}, "A split of pictures is"),
        ((model, tmp_path / "faces.zip"), {"find_faces": True}, "no image that could be scored"),
    ):
        with pytest.raises(FervtError, match=sentence) as caught:
            fervt.evaluate(*arguments, **options)
        assert "\n" not in str(caught.value)


def test_atlas_slices_and_robustness_of_folders_and_prepared_files(model, tmp_path):
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    (tmp_path / "faces.zip").write_bytes(zips.labeled_zip(21))
    for source in ("data.parquet", "faces.zip"):
        result = fervt.evaluate(model, tmp_path / source)
        atlas = result.atlas(by="label", occlusion=True)
        assert set(atlas.sources) == {"gwa", "gat", "grad_cam", "occlusion"}
        table = atlas.to_pandas()
        assert len(table) == 4 * 49 * len(atlas.counts)
        assert sum(atlas.counts.values()) <= result.n
        assert 0 <= atlas.template_share("gwa") <= 1
        np.testing.assert_allclose(atlas.regions("gwa").sum(axis=1), 49, rtol=2e-3)
        assert len(atlas.plot("occlusion").data) == len(atlas.counts)
        assert set(result.atlas(by="right").counts) <= {"right", "wrong"}
        assert sum(result.atlas(by="prediction").counts.values()) <= result.n
        slices = result.slices()
        bins = slices[slices["by"] == "brightness"]
        assert bins["n"].sum() == result.n
        np.testing.assert_allclose((bins["n"] * bins["accuracy"]).sum() / result.n, result.accuracy)
        robust = result.robustness(sample=14)
        assert robust.n == 14 and len(robust.to_pandas()) == 60
        assert set(robust.limits) == set(robust.to_pandas()["corruption"])
        assert len(robust.plot("noise").data) == 2
        for call, sentence in (
            (lambda r=result: r.atlas(by="age"), "by label, prediction or right"),
            (lambda a=atlas: a.plot("smell"), "no evidence 'smell'"),
            (lambda r=robust: r.plot("rain"), "no corruption 'rain'"),
        ):
            with pytest.raises(FervtError, match=sentence):
                call()
        assert result.scores("none").accuracy == result.accuracy
        assert result.scores("flip") == result.saved.metrics.tta.standard
        assert result.scores("five-crop").nll not in (
            result.scores().nll,
            result.scores("flip").nll,
        )
        with pytest.raises(FervtError, match="Averaging is none, flip, five-crop, not 'ten-crop'"):
            result.scores("ten-crop")
        paths = result.save(tmp_path / f"saved-{source}")
        assert {"evidence.npz", "robustness.npz", "five_crop.npz"} <= {path.name for path in paths}
