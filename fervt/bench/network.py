"""The network's speed against a bare ResNet-34 in the same engine.

The bare network is torchvision's ResNet-34 with the same stem, width and size and a linear
classifier.
"""

import warnings
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn

from fervt.bench.turns import Line, in_turns
from fervt.data.transforms import FACE_SIZE
from fervt.device import to_device
from fervt.engines import OnnxEngine, Output
from fervt.engines.onnx_graph import require_tracing
from fervt.evaluation.run import run_model
from fervt.model import FERVTGNN, FERVTConfig
from fervt.model.backbone import ResNet34
from fervt.predict import Predictor
from fervt.threads import threads_for
from fervt.training.losses import loss_of
from fervt.training.optimization import build_optimizer
from fervt.training.settings import TrainConfig

BARE = "bare ResNet-34"
_EVALUATED = 256


class BareResNet34(nn.Module):
    """The trunk alone with mean pooling and a linear classifier: images to logits (B, C)."""

    def __init__(self, config: FERVTConfig) -> None:
        super().__init__()
        self.trunk = ResNet34(config.stem, config.width)
        self.head = nn.Linear(8 * config.width, len(config.classes))

    def forward(self, images: Tensor) -> Tensor:
        """Classifies."""
        return self.head(self.trunk(images)[-1].mean(dim=(2, 3)))


def bare_network(config: FERVTConfig) -> BareResNet34:
    """One with random weights, ready to classify."""
    torch.manual_seed(0)
    return BareResNet34(config).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def bench_network(predictor: Predictor, batch_size: int, turns: int, amp: bool) -> Iterator[Line]:
    """Yields rows for a training step, one face, 64 faces and an evaluation.

    Args:
        predictor: The checkpoint; training starts from random weights of its architecture.
        batch_size: Faces in a training step.
        turns: How many times each is timed.
        amp: bfloat16 autocast in training.
    """
    yield _bench_training(predictor.info.config, batch_size, turns, amp)
    bare = bare_network(predictor.info.config)
    shape = _EVALUATED, FACE_SIZE, FACE_SIZE
    faces = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    engine = as_engine(bare, predictor)

    def read_bare(some: NDArray[np.uint8]) -> None:
        with threads_for(len(some)):
            images = predictor.info.preprocess.to_input(some)
            softmax(engine.run(images, ["logits"])[0], axis=1)

    for count, name in ((1, "one face"), (64, "64 faces")):
        some = faces[:count]
        yield in_turns(
            name, partial(predictor.classify, some), BARE, partial(read_bare, some), turns
        )
    yield _bench_evaluation(predictor, faces, turns)


class _BareEngine:
    """The bare network in PyTorch, with the interface of `Engine`."""

    def __init__(self, network: BareResNet34) -> None:
        self._network = network

    def run(
        self, images: NDArray[np.float32], outputs: Sequence[Output]
    ) -> list[NDArray[np.float32]]:
        with torch.inference_mode():
            return [self._network(to_device(images, torch.device("cpu"))).numpy()]


def as_engine(network: BareResNet34, predictor: Predictor) -> OnnxEngine | _BareEngine:
    """The bare network in the predictor's engine."""
    if predictor.engine.key != "onnx":
        return _BareEngine(network)
    require_tracing()
    side = predictor.info.config.image_size
    with warnings.catch_warnings():  # the exporter's own deprecation warnings
        warnings.simplefilter("ignore")
        traced = torch.onnx.export(
            network,
            (torch.zeros(2, 3, side, side),),
            dynamo=True,
            verbose=False,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        )
    assert traced is not None
    return OnnxEngine(traced.model_proto.SerializeToString())


def _bench_training(config: FERVTConfig, batch_size: int, turns: int, amp: bool) -> Line:
    torch.manual_seed(0)
    ours = FERVTGNN(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    bare = bare_network(config)
    images = torch.randn(batch_size, 3, config.image_size, config.image_size)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch_size) % len(config.classes)
    targets = nn.functional.one_hot(labels, len(config.classes)).float()
    settings = TrainConfig()
    our_optimizer = build_optimizer(ours, ours.backbone.trunk, settings)
    bare_optimizer = build_optimizer(bare, bare.trunk, settings)

    def step_ours() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            output = ours(images)
        our_optimizer.zero_grad()
        loss_of(output, targets, settings).backward()
        our_optimizer.step()

    def step_bare() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            logits = bare(images)
        bare_optimizer.zero_grad()
        nn.functional.cross_entropy(logits.float(), targets).backward()
        bare_optimizer.step()

    ours.train()
    bare.train()
    return in_turns(f"training step of {batch_size}", step_ours, BARE, step_bare, turns)


def _bench_evaluation(predictor: Predictor, faces: NDArray[np.uint8], turns: int) -> Line:
    """`run_model` against a bare loop over the same network and batches."""
    torch.manual_seed(0)
    model = FERVTGNN(predictor.info.config).eval()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    preprocess = predictor.info.preprocess
    batches = [
        to_device(preprocess.to_input(faces[start : start + 64]), predictor.device)
        for start in range(0, len(faces), 64)
    ]

    def bare_loop() -> None:
        with torch.inference_mode():
            for batch in batches:
                model(batch)

    return in_turns(
        f"evaluate {len(faces)} faces",
        lambda: run_model(model, preprocess, faces),
        "bare loop",
        bare_loop,
        turns,
    )
