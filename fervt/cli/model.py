"""Which model a verb runs, and what runs it: the options that verbs share."""

import argparse

from fervt.checkpoint import find_checkpoint
from fervt.engines import ENGINES
from fervt.predict import Predictor


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Adds --checkpoint and --engine."""
    parser.add_argument("--checkpoint", help="name or file; the flagship by default")
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="what runs the network: PyTorch or ONNX Runtime; auto takes the faster one here",
    )


def chosen_predictor(args: argparse.Namespace) -> Predictor:
    """Loads what the options name.

    Raises:
        CheckpointError: There is no such checkpoint, or it cannot be loaded.
        ConfigError: The engine can't run it here.
    """
    return Predictor(find_checkpoint(args.checkpoint), engine=args.engine)
