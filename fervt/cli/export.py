"""`fervt export`: a checkpoint as an ONNX file, for programs without fervt."""

import argparse
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fervt.checkpoint import CheckpointInfo, find_checkpoint, read_info
from fervt.cli.outputs import refuse_overwriting
from fervt.data.prepared import read_prepared
from fervt.engines import OnnxEngine
from fervt.engines.onnx_file import as_onnx
from fervt.engines.quantize import CALIBRATION_FACES, quantize
from fervt.errors import ConfigError
from fervt.evaluation.run import with_labels
from fervt.files import write_aside

HELP = "write a checkpoint as an ONNX file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("checkpoint", nargs="?", help="name or file; the flagship by default")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    parser.add_argument(
        "--int8",
        action="store_true",
        help="8-bit convolutions: smaller and faster, and a little less accurate; needs --data",
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="prepared file: Training sets the scales, PublicTest measures the cost",
    )


def run(args: argparse.Namespace) -> int:
    """Writes the file and prints how much its outputs differ from PyTorch's."""
    if args.int8 and args.data is None:
        raise ConfigError("--int8 needs faces to set its scales: give a prepared file (--data).")
    if args.data is not None and not args.int8:
        raise ConfigError("--data needs --int8.")
    checkpoint = find_checkpoint(args.checkpoint)
    refuse_overwriting("--out", args.out, filter(None, (checkpoint, args.data)))
    content, difference = as_onnx(checkpoint)
    print(f"The logits differ from PyTorch's by at most {difference:.1g}.")
    if args.int8:
        content = _quantized(content, read_info(checkpoint), args.data)
    with write_aside(args.out) as aside:
        aside.write_bytes(content)
    print(f"Wrote {args.out}: {len(content) / 1e6:.1f} MB")
    return 0


def _quantized(content: bytes, info: CheckpointInfo, file: Path) -> bytes:
    """Quantizes with Training faces, and prints the cost on PublicTest."""
    faces = read_prepared(file, ("Training",)).images
    test, labels, _ = with_labels(info, read_prepared(file, ("PublicTest",)))
    chosen = np.random.default_rng(0).permutation(len(faces))[:CALIBRATION_FACES]
    logging.getLogger().setLevel(logging.ERROR)  # the tool recommends steps already done
    small = quantize(content, info.preprocess.to_input(faces[chosen]))
    before, after = (_answers(each, info, test.images) for each in (content, small))
    print(
        f"On PublicTest 8 bits are right on {np.mean(after == labels):.2%}, 32 bits on "
        f"{np.mean(before == labels):.2%}; they agree on {np.mean(before == after):.1%} "
        f"(n = {len(labels):,})."
    )
    return small


def _answers(content: bytes, info: CheckpointInfo, faces: NDArray[np.uint8]) -> NDArray[np.int64]:
    engine = OnnxEngine(content)
    batches = (faces[start : start + 64] for start in range(0, len(faces), 64))
    logits = [engine.run(info.preprocess.to_input(batch), ["logits"])[0] for batch in batches]
    return np.concatenate(logits).argmax(axis=1)
