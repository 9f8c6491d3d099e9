"""Self-describing checkpoints: safetensors weights with JSON metadata in the same file.

A checkpoint has everything needed to use the model and to know where it comes from. Matrices are
stored in half precision, vectors (biases, batch statistics) in full.
"""

import os
import re
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from fervt.checkpoint_info import CheckpointInfo as CheckpointInfo  # whoever reads one needs it
from fervt.errors import CheckpointError
from fervt.files import file_sha256, write_aside
from fervt.model import FERVTGNN
from fervt.model.outline import outline
from fervt.resources import CHECKPOINTS
from fervt.threads import one_thread

FOREIGN_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
"""Of files that `torch.save` wrote."""

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WHOLE = (torch.int64, torch.int32)  # the counters of batch statistics
_WRAPPERS = ("module.", "_orig_mod.", "model.")
_PICKLED = (b"PK\3\4", b"\x80")  # how files written by `torch.save` begin
_WEB_PAGE = re.compile(rb"\s*(<!doctype|<html|<!--|<\?xml|<head|\{\s*\")", re.IGNORECASE)
_MOST_PICKLED_BYTES = 5_000_000
_LIGHTNING = "pytorch-lightning_version"


def save_checkpoint(path: Path, model: FERVTGNN, info: CheckpointInfo) -> None:
    """Writes weights and metadata to one `.safetensors` file.

    Raises:
        CheckpointError: The disk is full.
        OSError: The file cannot be written.
    """
    weights = {
        name: (value.half() if value.ndim > 1 and value.is_floating_point() else value)
        .detach()
        .cpu()
        .contiguous()
        for name, value in model.state_dict().items()
    }
    with write_aside(path) as aside:
        try:
            save_file(weights, str(aside), metadata={"fervt": info.to_json()})
        except SafetensorError as error:  # a full disk
            raise CheckpointError(f"'{path}' cannot be written ({error}).") from error
        aside.chmod(0o644)  # safetensors makes files readable by the owner only


def read_info(path: Path) -> CheckpointInfo:
    """Reads a checkpoint's metadata without its weights.

    Raises:
        CheckpointError: The file is missing, damaged or not a fervt checkpoint.
    """
    _name_other_kinds(_read_start(path), path.name)
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"'{path.name}' is not a complete safetensors file ({error})."
        ) from error
    if "fervt" not in metadata:
        raise CheckpointError(f"'{path.name}' is a safetensors file, but not a fervt checkpoint.")
    return CheckpointInfo.from_json(metadata["fervt"], path.name)


def load_checkpoint(path: Path) -> tuple[FERVTGNN, CheckpointInfo]:
    """Loads a model in eval mode, in float32, on the CPU.

    Args:
        path: A fervt `.safetensors` file, or one written by `torch.save` (`.pt`, `.pth`, `.bin`,
            `.ckpt`) with the entries `state_dict` and `fervt` (the metadata as JSON); such files
            are opened with `weights_only=True`, so they cannot run code. The content decides which
            it is, not the name. The prefixes that `DataParallel`, `torch.compile` and Lightning add
            to names are removed.

    Raises:
        CheckpointError: The file cannot be read or its weights don't fit its configuration.
    """
    start = _read_start(path)
    _name_other_kinds(start, path.name)
    if start.startswith(_PICKLED) and start[8:9] != b"{":
        weights, info = _read_foreign(path)
    else:
        info = read_info(path)
        try:
            with safe_open(str(path), framework="pt") as file:
                weights = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"'{path.name}' is damaged ({error}).") from error
    weights = {_without_prefixes(name): value for name, value in weights.items()}
    _check_fit(outline(info.config), weights, path.name)
    model = FERVTGNN(info.config)
    model.load_state_dict(weights)
    model.to(memory_format=torch.channels_last).eval()
    _check_answer(model, info, path.name)
    return model, info


def _check_answer(model: FERVTGNN, info: CheckpointInfo, name: str) -> None:
    """Finite weights may still produce NaN: one face must get an answer."""
    size = info.config.image_size
    with one_thread(), torch.inference_mode():
        logits = model(torch.linspace(-2, 2, 3 * size * size).reshape(1, 3, size, size)).logits
    if not torch.isfinite((logits / info.temperature).softmax(dim=1)).all():
        raise CheckpointError(f"'{name}' gives no finite answer: its weights are out of range.")


def _read_foreign(path: Path) -> tuple[dict[str, torch.Tensor], CheckpointInfo]:
    try:
        _check_members(path)
        with path.open("rb") as file:  # given a path, PyTorch would go by its name
            content = torch.load(file, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:
        if _is_from_lightning(path):
            raise _from_lightning(path.name) from error
        raise CheckpointError(
            f"'{path.name}' cannot be opened safely: it is damaged or contains more than weights."
        ) from error
    keys = set(content) if isinstance(content, dict) else set()
    if _LIGHTNING in keys and "fervt" not in keys:
        raise _from_lightning(path.name)
    if keys and all(isinstance(value, torch.Tensor) for value in content.values()):
        raise CheckpointError(
            f"'{path.name}' contains only weights, without the metadata that says how to use them; "
            "only FERVT-GNN checkpoints saved by fervt can be used."
        )
    if not {"state_dict", "fervt"} <= keys:
        raise CheckpointError(
            f"'{path.name}' has no 'state_dict' with fervt metadata beside it; "
            "only checkpoints of FERVT-GNN can be used."
        )
    weights, about = content["state_dict"], content["fervt"]
    plain = isinstance(weights, dict) and all(
        isinstance(name, str) and isinstance(value, torch.Tensor) and _is_plain(value)
        for name, value in weights.items()
    )
    if not plain or type(about) is not str:  # a list of lists of lists can be short and print long
        raise CheckpointError(f"'{path.name}' has a 'state_dict' that contains more than weights.")
    return weights, CheckpointInfo.from_json(about, path.name)


def _check_members(path: Path) -> None:
    """Makes sure that a file's weights are uncompressed: `torch.save` never compresses.

    Raises:
        CheckpointError: It would unpack to more than its size.
    """
    if not zipfile.is_zipfile(path):  # as written before PyTorch 1.6
        return
    with zipfile.ZipFile(path) as file:
        members = file.infolist()
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise CheckpointError(f"'{path.name}' is compressed, which checkpoints never are.")


def _is_plain(value: torch.Tensor) -> bool:
    """Whether a tensor is numbers in memory, each stored separately."""
    return (
        value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and value.untyped_storage().nbytes() >= value.numel() * value.element_size()
    )


def _without_prefixes(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.partition(".")[2]
    return name


def _is_from_lightning(path: Path) -> bool:
    """Whether a file that cannot be opened safely was written by Lightning."""
    try:
        with zipfile.ZipFile(path) as file:
            name = next(n for n in file.namelist() if n.endswith("/data.pkl"))
            with file.open(name) as pickled:
                return _LIGHTNING.encode() in pickled.read(_MOST_PICKLED_BYTES)
    except (OSError, zipfile.BadZipFile, StopIteration, NotImplementedError, RuntimeError):
        return False


def _from_lightning(name: str) -> CheckpointError:
    return CheckpointError(
        f"'{name}' is a Lightning checkpoint without fervt's metadata; only checkpoints of "
        "FERVT-GNN that fervt saved can be used."
    )


def _read_start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1000)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(f"There is no checkpoint '{path.name}'.") from error
    except OSError as error:
        raise CheckpointError(f"'{path.name}' cannot be read: {error.strerror}.") from error


def _name_other_kinds(start: bytes, name: str) -> None:
    """Recognizes files that are often mistaken for checkpoints."""
    if not start:
        raise CheckpointError(f"'{name}' is empty.")
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"'{name}' is a Git LFS pointer, not the file itself: fetch that (git lfs pull)."
        )
    if _WEB_PAGE.match(start.removeprefix(b"\xef\xbb\xbf")):
        raise CheckpointError(
            f"'{name}' is a web page, not a checkpoint: the page was downloaded, not the file."
        )
    if start.startswith(b"\x1f\x8b"):
        raise CheckpointError(f"'{name}' is packed with gzip: unpack it first.")


def _check_fit(model: FERVTGNN, weights: dict[str, torch.Tensor], name: str) -> None:
    expected = model.state_dict()
    missing = sorted(expected.keys() - weights.keys())
    unknown = sorted(weights.keys() - expected.keys())
    if missing or unknown:
        what = f"lacks {missing[0]}" if missing else f"has the unknown {unknown[0]}"
        count = len(missing) + len(unknown)
        raise CheckpointError(f"'{name}' {what} ({count} names differ from its configuration).")
    for key, value in weights.items():
        if value.shape != expected[key].shape:
            raise CheckpointError(
                f"'{name}' contains {key} with shape {tuple(value.shape)}, "
                f"its configuration needs {tuple(expected[key].shape)}."
            )
        if value.dtype not in (_FLOATS if expected[key].is_floating_point() else _WHOLE):
            raise CheckpointError(
                f"'{name}' contains {key} as {value.dtype}, which is not a weight."
            )
        if value.dtype in _FLOATS and not torch.isfinite(value.float()).all():
            raise CheckpointError(f"'{name}' contains {key} with values that are not finite.")


def init_from(model: FERVTGNN, path: Path) -> CheckpointInfo:
    """Copies all weights of a checkpoint whose name and shape match; returns its metadata.

    Raises:
        CheckpointError: The file cannot be read, or nothing fits.
    """
    donor, info = load_checkpoint(path)
    own = model.state_dict()
    fitting = {k: v for k, v in donor.state_dict().items() if k in own and v.shape == own[k].shape}
    if not fitting:
        raise CheckpointError(f"No weight of '{path.name}' fits this configuration.")
    model.load_state_dict(fitting, strict=False)
    return info


def shipped_checkpoints(folder: Path = CHECKPOINTS) -> dict[str, Path]:
    """The checkpoints that ship, by name, the flagship first.

    The order is the one of `order.txt` beside them, then by name.
    """
    paths = {p.stem: p for p in sorted(folder.glob("*.safetensors"))}
    listing = folder / "order.txt"
    order = listing.read_text(encoding="utf-8").split() if listing.is_file() else []
    return {name: paths[name] for name in [*order, *paths] if name in paths}


def name_checkpoint(path: Path, sha256: str) -> str:
    """A file's display name: its shipped name if it ships with fervt, otherwise its own."""
    for name, shipped in shipped_checkpoints().items():
        if shipped == path:
            return name
    return find_shipped(sha256, path.stat().st_size) or path.stem


def find_shipped(sha256: str, size: int | None = None) -> str | None:
    """The shipped checkpoint with this content, by name; with a size, only one of that is read."""
    for name, shipped in shipped_checkpoints().items():
        if size in (None, shipped.stat().st_size) and file_sha256(shipped) == sha256:
            return name
    return None


def find_checkpoint(name_or_path: str | None = None) -> Path:
    """Resolves a shipped checkpoint's name or a path; None is the flagship.

    Raises:
        CheckpointError: There is no such checkpoint.
    """
    shipped = shipped_checkpoints()
    if name_or_path is None:
        if not shipped:
            raise CheckpointError("No checkpoint ships with this copy of fervt.")
        return next(iter(shipped.values()))
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    if os.path.isfile(path):  # also False for a text that could not be a path
        return path
    names = ", ".join(shipped) or "none"
    raise CheckpointError(f"There is no checkpoint '{name_or_path:.200}'; shipped are: {names}.")
