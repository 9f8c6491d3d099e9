"""The network as an ONNX graph: made from a configuration, filled with a checkpoint's weights.

Tracing the network takes ten seconds and extra packages; filling a graph takes milliseconds. So the
graphs of the shipped configurations are included, without weights (100 KB each), and each serves
every checkpoint of its configuration.
"""

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from fervt.engines.engine import named_outputs
from fervt.errors import ConfigError
from fervt.files import write_aside
from fervt.model import FERVTGNN, FERVTConfig
from fervt.resources import GRAPHS

_TRAINING_ONLY = ("dropout", "token_dropout")
_OPSET = 20
_PREFIX = "model."  # prefix of the weights' names, since the network is inside `_Named`


def graph_key(config: FERVTConfig) -> str:
    """The name of a configuration's graph: the first 16 digits of a SHA-256."""
    shape = {k: v for k, v in asdict(config).items() if k not in _TRAINING_ONLY}
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]


def find_graph(config: FERVTConfig) -> bytes | None:
    """The graph of a configuration, if it is included or was made earlier."""
    name = f"{graph_key(config)}.onnx"
    if (GRAPHS / name).is_file():
        return (GRAPHS / name).read_bytes()
    cache = _cache()
    return (cache / name).read_bytes() if cache and (cache / name).is_file() else None


def find_or_make_graph(config: FERVTConfig) -> bytes:
    """The graph of a configuration; a new one is kept in the user's cache folder.

    Raises:
        ConfigError: It must be made, and the packages for that are missing.
    """
    graph = find_graph(config)
    if graph is None:
        graph = make_graph(config)
        if (cache := _cache()) is None:
            return graph
        # Without the file, it will be made again next time.
        with suppress(OSError), write_aside(cache / f"{graph_key(config)}.onnx") as aside:
            aside.write_bytes(graph)
    return graph


def _cache() -> Path | None:
    # A graph made by another version of the network would have other inputs or numbers.
    from fervt import __version__

    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # a user without a home folder
        return None
    return Path(base) / "fervt" / __version__ / "graphs"


def require_tracing() -> None:
    """Checks that a network can be traced.

    Raises:
        ConfigError: The packages for it are missing.
    """
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "Tracing a network for ONNX needs more packages: pip install 'fervt[export]'."
        ) from error


class _Named(nn.Module):
    """The network with the outputs that an exported file has."""

    def __init__(self, model: FERVTGNN) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(named_outputs(self.model(images)).values())


def make_graph(config: FERVTConfig) -> bytes:
    """Traces the network of a configuration; takes about ten seconds.

    Returns:
        An ONNX file whose weights are missing: initializers named as in the model's `state_dict`.
        Its input is `images` (B, 3, S, S), B free, its outputs those of `named_outputs`.

    Raises:
        ConfigError: The packages for it are missing.
    """
    require_tracing()
    import onnx_ir
    import onnxscript.optimizer

    # The exporter warns of empty attributes that it writes itself; its errors are still said.
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)
    model = FERVTGNN(config).eval()
    images = torch.zeros(2, 3, config.image_size, config.image_size)
    with torch.inference_mode():
        names = list(named_outputs(model(images)))
    with warnings.catch_warnings():  # the exporter's own deprecation warnings
        warnings.simplefilter("ignore")
        traced = torch.onnx.export(
            _Named(model),
            (images,),
            dynamo=True,
            optimize=False,
            verbose=False,
            opset_version=_OPSET,
            input_names=["images"],
            output_names=names,
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        )
        assert traced is not None
        graph = traced.model.graph
        # As inputs they are unknown to the optimizer, which would fold them into other constants.
        weights, held = {}, model.state_dict()
        for name in list(graph.initializers):
            if name.removeprefix(_PREFIX) in held:
                weights[name] = graph.initializers.pop(name)
                weights[name].const_value = None
                graph.inputs.append(weights[name])
        onnxscript.optimizer.optimize(traced.model)
    for value in weights.values():
        graph.inputs.remove(value)
    proto = onnx_ir.to_proto(traced.model)
    strip_debugging(proto)
    for name, value in weights.items():
        if list(value.uses()):
            place = proto.graph.initializer.add()
            place.name = name
            place.dims.extend(tuple(value.shape or ()))
            place.data_type = int(value.dtype or 0)
    return proto.SerializeToString(deterministic=True)


def strip_debugging(proto) -> None:  # type: ignore[no-untyped-def]
    """Drops the exporter's debugging information, including source lines."""
    del proto.metadata_props[:]
    del proto.graph.metadata_props[:]
    del proto.graph.value_info[:]
    for item in (*proto.graph.node, *proto.graph.initializer, *proto.graph.input):
        del item.metadata_props[:]
        item.doc_string = ""


def fill_graph(
    graph: bytes, weights: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> bytes:
    """An ONNX file with everything inside.

    Args:
        graph: As `make_graph` makes it.
        weights: The model's `state_dict`.
        metadata: To write into the file.

    Raises:
        ConfigError: The weights don't fit the graph.
    """
    import onnx

    proto = onnx.load_model_from_string(graph)
    for place in proto.graph.initializer:
        if place.HasField("raw_data"):
            continue  # a constant in the graph
        name = place.name.removeprefix(_PREFIX)
        values = weights.get(name)
        if values is None or tuple(values.shape) != tuple(place.dims):
            raise ConfigError(f"The ONNX graph doesn't fit this checkpoint: its '{name}' differs.")
        place.raw_data = np.ascontiguousarray(values.detach().cpu().numpy()).tobytes()
    for key, text in (metadata or {}).items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, text
    return proto.SerializeToString()
