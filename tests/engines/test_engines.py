"""Engines give the network's own answers, whichever runs it."""

import json
import pickle
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from skimage import data
from tiny import CONFIG, draw_faces, save_tiny

from fervt.checkpoint import find_checkpoint, load_checkpoint, read_info, shipped_checkpoints
from fervt.cli import export
from fervt.data.prepared import write_prepared
from fervt.engines import OnnxEngine, TorchEngine, onnx_graph, open_engine, opening
from fervt.engines.engine import named_outputs
from fervt.engines.onnx_file import as_onnx
from fervt.engines.onnx_graph import fill_graph, find_graph, find_or_make_graph, graph_key
from fervt.errors import ConfigError
from fervt.model import FERVTGNN
from fervt.predict import Predictor, cut_face
from fervt.resources import GRAPHS

CPU = torch.device("cpu")
SHIPPED = list(shipped_checkpoints())


def cut_faces(count: int) -> np.ndarray:
    """The astronaut's face in windows that lie a little off, in brighter and darker light."""
    random, image = np.random.default_rng(3), data.astronaut()
    faces = []
    for _ in range(count):
        left, top = random.integers((155, 40), (185, 75))
        side = random.integers(100, 140)
        face = cut_face(image, (left, top, left + side, top + side), random.uniform(-15, 15))
        faces.append((face * random.uniform(0.3, 1)).astype(np.uint8))
    return np.stack(faces)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_checkpoint_answers_alike_on_both_engines(name):
    faces = cut_faces(200)
    evidence = ["gwa", "gat", "input"]
    fast, exact = (Predictor(find_checkpoint(name), "cpu", engine) for engine in ("auto", "torch"))
    assert (fast.engine.name, exact.engine.name) == ("ONNX Runtime", "PyTorch")
    for ours, theirs in zip(
        fast.classify(faces, evidence), exact.classify(faces, evidence), strict=True
    ):
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(ours.model_input, theirs.model_input)
        for key, tolerance in (("gwa", 1e-2), ("gat", 1e-4)):  # GWA's sigmoid is steep
            pair = getattr(ours, key), getattr(theirs, key)
            assert (pair[0] is None) == (pair[1] is None)
            if pair[0] is not None:
                np.testing.assert_allclose(*pair, rtol=0, atol=tolerance)


def test_every_output_of_one_face_and_of_many_is_pytorchs():
    model, info = load_checkpoint(find_checkpoint())
    engine, reference = open_engine("onnx", model, info.preprocess, CPU), TorchEngine(model, CPU)
    images = info.preprocess.to_input(draw_faces(np.arange(19) % 7))
    names = engine.outputs()
    with torch.inference_mode():
        assert set(names) == set(named_outputs(model(torch.from_numpy(images))))
    for count in (1, 19):  # on one thread, and on as many as there are
        found = engine.run(images[:count], names), reference.run(images[:count], names)
        for ours, theirs in zip(*found, strict=True):
            assert ours.shape == theirs.shape and ours.dtype == np.float32
            np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_a_predictor_goes_along_into_another_process():
    predictor = Predictor(find_checkpoint(), "cpu")
    twin = pickle.loads(pickle.dumps(predictor))
    assert twin.engine.name == "ONNX Runtime"
    faces = cut_faces(2)
    for ours, theirs in zip(predictor.classify(faces), twin.classify(faces), strict=True):
        np.testing.assert_array_equal(ours.probabilities, theirs.probabilities)


def test_the_graphs_that_ship_are_those_of_the_shipped_checkpoints():
    keys = {graph_key(read_info(file).config) for file in shipped_checkpoints().values()}
    assert {file.stem for file in GRAPHS.glob("*.onnx")} == keys, "python -m scripts.graphs"


def test_dropout_does_not_change_a_graph_and_width_does():
    assert graph_key(replace(CONFIG, dropout=0.3, token_dropout=0.0)) == graph_key(CONFIG)
    assert graph_key(replace(CONFIG, width=24)) != graph_key(CONFIG)


def test_another_configuration_runs_on_pytorch_unless_onnx_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    checkpoint = save_tiny(tmp_path)
    assert Predictor(checkpoint, "cpu").engine.name == "PyTorch"
    with pytest.raises(ConfigError, match="no engine 'fast'; known: auto, torch, onnx"):
        Predictor(checkpoint, "cpu", "fast")


def test_nobody_needs_a_home_folder(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", homeless)
    assert find_graph(read_info(find_checkpoint()).config) is not None
    assert find_graph(replace(CONFIG, width=24)) is None
    monkeypatch.setattr(onnx_graph, "make_graph", lambda config: b"made")
    assert find_or_make_graph(replace(CONFIG, width=24)) == b"made"


def test_onnx_on_a_gpu_is_refused():
    model, info = load_checkpoint(find_checkpoint())
    with pytest.raises(ConfigError, match="runs on the CPU only"):
        open_engine("onnx", model, info.preprocess, torch.device("cuda"))
    assert open_engine("auto", model, info.preprocess, torch.device("cuda")).name == "PyTorch"


def test_an_engine_with_other_answers_is_not_used(monkeypatch):
    model, info = load_checkpoint(find_checkpoint())
    spoiled = {k: v * 1.1 if k == "vta.head.weight" else v for k, v in model.state_dict().items()}
    monkeypatch.setattr(opening, "fill_graph", lambda graph, _: fill_graph(graph, spoiled))
    assert open_engine("auto", model, info.preprocess, CPU).name == "PyTorch"
    with pytest.raises(ConfigError, match="logits for this checkpoint differ from PyTorch's by"):
        open_engine("onnx", model, info.preprocess, CPU)


def test_weights_of_another_network_are_refused():
    graph = find_graph(read_info(find_checkpoint()).config)
    assert graph is not None
    with pytest.raises(ConfigError, match=r"doesn't fit this checkpoint: its '.+' differs"):
        fill_graph(graph, FERVTGNN(CONFIG).state_dict())


def test_an_exported_file_needs_only_what_is_in_it(tmp_path):
    out = tmp_path / "flagship.onnx"
    assert _export(None, out) == 0
    onnx.checker.check_model(str(out), full_check=True)
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    noted = session.get_modelmeta().custom_metadata_map
    told = {key.removeprefix("fervt."): json.loads(value) for key, value in noted.items()}
    predictor = Predictor(find_checkpoint(), "cpu", "torch")
    assert told["classes"] == list(predictor.classes.classes)
    assert told["checkpoint_sha256"] == predictor.sha256

    faces = draw_faces(np.arange(3))
    images = predictor.prepare(faces).numpy() * predictor.info.preprocess.std
    images = (images + predictor.info.preprocess.mean - told["mean"]) / told["std"]
    (logits,) = session.run(["logits"], {"images": images.astype(np.float32)})
    odds = np.exp(logits / told["temperature"])
    for found, reading in zip(odds, predictor.classify(faces), strict=True):
        np.testing.assert_allclose(found / found.sum(), reading.probabilities, atol=1e-5)


def test_int8_needs_faces(tmp_path, capsys):
    with pytest.raises(ConfigError, match="give a prepared file"):
        _export(None, tmp_path / "small.onnx", "--int8")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_new_configuration_is_traced_once_and_quantized(tmp_path, monkeypatch, capsys, caplog):
    from tiny import tiny_data

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    checkpoint, prepared = save_tiny(tmp_path), tmp_path / "data.parquet"
    write_prepared(tiny_data(), prepared)
    content, difference = as_onnx(checkpoint)
    assert not [r for r in caplog.records if r.name.startswith("onnx_ir")]  # of its own attributes
    assert difference < 1e-4 and OnnxEngine(content).outputs()[0] == "logits"

    monkeypatch.setattr(onnx_graph, "make_graph", None)  # what was made before serves
    assert find_or_make_graph(CONFIG) == find_graph(CONFIG)
    out = tmp_path / "small.onnx"
    assert _export(str(checkpoint), out, "--int8", "--data", str(prepared)) == 0
    assert out.stat().st_size < len(content)
    said = capsys.readouterr().out
    assert "On PublicTest 8 bits are right on" in said and "(n = 42)" in said


def _export(checkpoint, out, *more):
    import argparse

    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    given = [checkpoint] if checkpoint else []
    return export.run(parser.parse_args([*given, "--out", str(out), *more]))
