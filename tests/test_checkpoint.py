"""Checkpoints: what is saved comes back, and what does not fit is refused by name."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

from fervt.checkpoint import (
    CheckpointInfo,
    find_checkpoint,
    init_from,
    load_checkpoint,
    name_checkpoint,
    read_info,
    save_checkpoint,
    shipped_checkpoints,
)
from fervt.data.transforms import Preprocess
from fervt.errors import CheckpointError
from fervt.files import file_sha256
from fervt.model import FERVTGNN

INFO = CheckpointInfo(tiny.CONFIG, Preprocess(28, 0.5, 0.25), temperature=1.25, seed=3)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "tiny.safetensors", FERVTGNN(tiny.CONFIG), INFO)
    return tmp_path / "tiny.safetensors"


def _rewrite(path: Path, weights=None, text: str | None = None) -> None:
    metadata = {"fervt": read_info(path).to_json() if text is None else text}
    save_file(load_file(path) if weights is None else weights, path, metadata=metadata)


def test_saving_and_loading_gives_the_same_logits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = FERVTGNN(tiny.CONFIG).eval()
    # Half precision once, so that the comparison is exact.
    model.load_state_dict(
        {k: v.half().float() if v.ndim > 1 else v for k, v in model.state_dict().items()}
    )
    save_checkpoint(tmp_path / "a.safetensors", model, INFO)
    loaded, info = load_checkpoint(tmp_path / "a.safetensors")
    images = torch.randn(3, 3, 28, 28)
    assert info == INFO
    assert not loaded.training
    assert all(p.dtype == torch.float32 for p in loaded.parameters())
    torch.testing.assert_close(loaded(images).logits, model(images).logits)
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_matrices_are_stored_in_half_precision(saved: Path) -> None:
    for name, value in load_file(saved).items():
        if value.is_floating_point():
            assert value.dtype == (torch.float16 if value.ndim > 1 else torch.float32), name


def test_missing_file() -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint 'none\.safetensors'"):
        load_checkpoint(Path("none.safetensors"))


def test_truncated_file(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors"):
        load_checkpoint(saved)


def test_foreign_safetensors(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="not a fervt checkpoint"):
        load_checkpoint(tmp_path / "other.safetensors")


def test_weights_of_another_class_count(saved: Path) -> None:
    raw = json.loads(read_info(saved).to_json())
    raw["config"]["vocabulary"] = "ferplus"
    _rewrite(saved, text=json.dumps(raw))
    with pytest.raises(CheckpointError, match=r"head.* with shape \(7,.*needs \(8,"):
        load_checkpoint(saved)


def test_a_small_file_cannot_ask_for_a_gigantic_model(saved: Path) -> None:
    raw = json.loads(read_info(saved).to_json())
    raw["config"]["width"] = 256  # 350 MB of weights, if they were ever made
    _rewrite(saved, text=json.dumps(raw))
    with pytest.raises(CheckpointError, match="its configuration needs"):
        load_checkpoint(saved)


def test_missing_and_unknown_weights(saved: Path) -> None:
    weights = load_file(saved)
    moved = dict(weights)
    moved["somewhere.else"] = moved.pop("vta.head.bias")
    _rewrite(saved, moved)
    with pytest.raises(CheckpointError, match=r"lacks vta\.head\.bias \(2 names"):
        load_checkpoint(saved)


def test_weights_that_are_not_finite(saved: Path) -> None:
    weights = load_file(saved)
    weights["vta.head.bias"][2] = float("nan")
    _rewrite(saved, weights)
    with pytest.raises(CheckpointError, match="not finite"):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "fervt-99"},
        {"config": {"width": -1}},
        {"config": {"unheard_of": 1}},
        {"preprocess": {"image_size": 42, "mean": 0.5, "std": 0.25}},
        {"temperature": -1.0},
        {"temperature": "warm"},
        {"preprocess": {"image_size": 28, "mean": 0.5, "std": "a"}},
        {"preprocess": {"image_size": 28, "mean": float("nan"), "std": 0.2}},
        {"preprocess": {"image_size": 28, "mean": 0.5, "std": 0.2, "crop": 0.0}},
        {"history": "long"},
        {"history": [{"train_loss": 1.0}]},
        {"history": [{"epoch": "one"}]},
        {"history": [{"epoch": 1, "train_loss": float("nan")}]},
        {"history": [{"epoch": 1, "train_loss": 10**400}]},
        {"metrics": {"accuracy": "high"}},
        {"metrics": {"accuracy": float("inf")}},
        {"metrics": {"accuracy": 10**400}},
        {"metrics": {"anything": [float("nan")]}},
        {"training": {"anything": {"deep": float("inf")}}},
        {"description": 5},
        {"training": {"averaged": 5}},
        {"training": {"teachers": 5}},
        {"training": {"distilled": 5}},
        {"training": {"distill_weight": "most"}},
        {"training": {"distill_weight": 5}},
        {"training": {"distill_weight": 10**400}},
        {"training": {"relevance_weight": float("nan")}},
        {"training": {"equivariance_weight": float("inf")}},
        {"training": {"equivariance_weight": -1}},
        {"training": {"counterfactual_weight": -1}},
        {"training": {"graph_weight": -1}},
        {"labels_seen": "fer2013"},
        {"surprise": True},
    ],
)
def test_damaged_metadata(saved: Path, change: dict) -> None:
    _rewrite(saved, text=json.dumps({**json.loads(read_info(saved).to_json()), **change}))
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors"):
        load_checkpoint(saved)


def test_pt_files_open_without_running_code(saved: Path, tmp_path: Path) -> None:
    content = {"state_dict": load_file(saved), "fervt": read_info(saved).to_json()}
    torch.save(content, tmp_path / "mine.pt")
    model, _ = load_checkpoint(tmp_path / "mine.pt")
    images = torch.randn(2, 3, 28, 28)
    torch.testing.assert_close(model(images).logits, load_checkpoint(saved)[0](images).logits)


class _Evil:
    def __reduce__(self):
        return (Path.touch, (Path("evil-was-here"),))


def test_a_pickle_that_would_run_code_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": _Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match="cannot be opened safely"):
        load_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "evil-was-here").exists()
    torch.save({"weights": [torch.zeros(1)]}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="no 'state_dict'"):
        load_checkpoint(tmp_path / "other.pth")


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "model."])
@pytest.mark.parametrize("suffix", [".pt", ".bin", ".ckpt"])
def test_the_prefixes_of_wrappers_are_taken_off(saved: Path, tmp_path, prefix, suffix) -> None:
    path = tmp_path / f"foreign{suffix}"
    weights = {f"{prefix}{name}": value for name, value in load_file(saved).items()}
    torch.save({"state_dict": weights, "fervt": INFO.to_json()}, path)
    faces = torch.randn(2, 3, 28, 28)
    expected, got = load_checkpoint(saved)[0](faces), load_checkpoint(path)[0](faces)
    assert torch.equal(got.logits, expected.logits)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "is a Git LFS pointer"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html>", "is a web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "is a web page"),
        (b'{"error": "not found"}', "is a web page"),
        (b"\x1f\x8b\x08\0", "is packed with gzip"),
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><html><title>403</title>", "is a web page"),
    ],
)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_what_is_often_taken_for_a_checkpoint_is_named(tmp_path, content, sentence, suffix) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"^'weights{suffix}' {sentence}"):
        load_checkpoint(path)


def test_a_lightning_checkpoint_is_named(tmp_path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"pytorch-lightning_version": "2.5", "state_dict": {"a": torch.ones(1)}}, path)
    with pytest.raises(CheckpointError, match="is a Lightning checkpoint"):
        load_checkpoint(path)


def test_a_lightning_checkpoint_with_objects_is_named_too(tmp_path) -> None:
    content = {"pytorch-lightning_version": "2.1", "hyper_parameters": Path("x")}
    torch.save(content, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match="is a Lightning checkpoint"):
        load_checkpoint(tmp_path / "last.ckpt")


def test_weights_alone_are_named(saved: Path, tmp_path) -> None:
    torch.save(load_checkpoint(saved)[0].state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"'pytorch_model\.bin' contains only weights"):
        load_checkpoint(tmp_path / "pytorch_model.bin")


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".safetensors", ""])
def test_the_content_decides_and_not_the_name(saved: Path, tmp_path, suffix) -> None:
    model, info = load_checkpoint(saved)
    shutil.copy(saved, tmp_path / f"a{suffix}")
    assert load_checkpoint(tmp_path / f"a{suffix}")[1] == info
    torch.save({"state_dict": model.state_dict(), "fervt": info.to_json()}, tmp_path / f"b{suffix}")
    assert load_checkpoint(tmp_path / f"b{suffix}")[1] == info


def test_prefixes_are_taken_off_in_safetensors_too(saved: Path) -> None:
    weights = load_checkpoint(saved)[0].state_dict()
    _rewrite(saved, {f"module.{name}": value.contiguous() for name, value in weights.items()})
    load_checkpoint(saved)


def test_a_tensor_must_hold_what_its_shape_says(saved: Path, tmp_path) -> None:
    weights = {
        k: v[:1].clone().expand(v.shape) if v.dim() > 1 else v for k, v in load_file(saved).items()
    }
    torch.save({"state_dict": weights, "fervt": INFO.to_json()}, tmp_path / "small.pt")
    with pytest.raises(CheckpointError, match="contains more than weights"):
        load_checkpoint(tmp_path / "small.pt")


def test_weights_that_give_no_answer_are_refused(saved: Path) -> None:
    weights = load_file(saved)
    for name in list(weights):
        if name.endswith("running_var"):
            weights[name] = -weights[name]
    _rewrite(saved, weights)
    with pytest.raises(CheckpointError, match="gives no finite answer"):
        load_checkpoint(saved)


def test_weights_of_another_kind_are_refused(saved: Path) -> None:
    weights = load_file(saved)
    name = next(key for key, value in weights.items() if value.dim() > 1)
    _rewrite(saved, weights | {name: weights[name].to(torch.int32)})
    with pytest.raises(CheckpointError, match="which is not a weight"):
        load_checkpoint(saved)


def test_a_shipped_file_is_known_under_another_name(tmp_path) -> None:
    name, shipped = next(iter(shipped_checkpoints().items()))
    copy = tmp_path / "download (3).safetensors"
    copy.write_bytes(shipped.read_bytes())
    assert name_checkpoint(copy, file_sha256(copy)) == name
    assert name_checkpoint(copy, "0" * 64) == "download (3)"


def test_init_takes_what_fits(saved: Path) -> None:
    donor, _ = load_checkpoint(saved)
    model = FERVTGNN(replace(tiny.CONFIG, vocabulary="ferplus"))
    assert init_from(model, saved).seed == INFO.seed
    assert torch.equal(model.backbone.trunk.conv1.weight, donor.backbone.trunk.conv1.weight)


def test_shipped_checkpoints_are_found_by_name_and_order(tmp_path: Path) -> None:
    for name in ("alpha", "omega", "beta"):
        save_checkpoint(tmp_path / f"{name}.safetensors", FERVTGNN(tiny.CONFIG), INFO)
    (tmp_path / "order.txt").write_text("omega\ngone\n")
    assert list(shipped_checkpoints(tmp_path)) == ["omega", "alpha", "beta"]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(CheckpointError, match="no checkpoint 'nope'"):
        find_checkpoint("nope")


def test_what_ships_can_be_loaded() -> None:
    shipped = shipped_checkpoints()
    assert shipped
    for name, path in shipped.items():
        _, info = load_checkpoint(path)
        assert path.stat().st_size < 50e6, name
        assert info.data_hash, name
        assert info.history, name


def _foreign(path: Path, weights: object, about: object = None) -> Path:
    torch.save({"state_dict": weights, "fervt": INFO.to_json() if about is None else about}, path)
    return path


def _nested(depth: int) -> object:
    """Short in a file, since each list holds one other twice; endless once it is printed."""
    found: object = "x"
    for _ in range(depth):
        found = [found, found]
    return found


_SPOILED = {
    "negative variance": lambda k, v: -v if k.endswith("running_var") else v,
    "a million times": lambda k, v: v * 1e6 if v.is_floating_point() else v,
    "whole numbers": lambda k, v: v.to(torch.int16),
    "complex": lambda k, v: v.to(torch.complex64),
    "eight bits": lambda k, v: v.to(torch.float8_e4m3fn),
    "two in a byte": lambda k, v: v.to(torch.uint8).view(torch.float4_e2m1fn_x2),
    "quantized": lambda k, v: torch.quantize_per_tensor(v.float(), 0.1, 0, torch.qint8),
    "one number everywhere": lambda k, v: torch.zeros((), dtype=v.dtype).expand(v.shape),
    "no numbers": lambda k, v: v.to("meta"),
    "sparse": lambda k, v: v.to_sparse() if v.ndim else v,
}


@pytest.mark.filterwarnings("ignore")  # of kinds of tensors that PyTorch gives up
@pytest.mark.parametrize("kind", _SPOILED)
def test_weights_that_are_no_weights_are_a_sentence(saved: Path, tmp_path: Path, kind: str) -> None:
    weights = {k: _SPOILED[kind](k, v) for k, v in load_checkpoint(saved)[0].state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(_foreign(tmp_path / "x.pt", weights))
    assert len(str(caught.value).splitlines()) == 1


def test_foreign_files_that_are_short_and_large_are_refused(saved: Path, tmp_path: Path) -> None:
    weights = load_checkpoint(saved)[0].state_dict()
    for spoiled, about in ((weights, _nested(80)), (_nested(80), None), ({"a": _nested(80)}, None)):
        with pytest.raises(CheckpointError):
            load_checkpoint(_foreign(tmp_path / "x.pt", spoiled, about))
    good = _foreign(tmp_path / "good.pt", weights)
    with zipfile.ZipFile(good) as read, zipfile.ZipFile(tmp_path / "p.pt", "w") as written:
        for info in read.infolist():
            written.writestr(info.filename, read.read(info), zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed"):
        load_checkpoint(tmp_path / "p.pt")


def test_notes_beside_the_weights_do_no_harm(saved: Path, tmp_path: Path) -> None:
    weights = load_checkpoint(saved)[0].state_dict()
    weights._metadata = 5
    load_checkpoint(_foreign(tmp_path / "x.pt", weights))


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    program = (
        "import resource, sys, tiny; from pathlib import Path\n"
        "from fervt.errors import CheckpointError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: tiny.save_tiny(Path(sys.argv[1]))\n"
        "except (CheckpointError, OSError) as error: print('said', error)\n"
    )
    places = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": places},
    )
    assert done.stdout.startswith("said") and done.returncode == 0, done.stderr
    assert os.listdir(tmp_path) == []
