"""The options for the model and the engine, which commands share."""

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
        help="runs the network in PyTorch or ONNX Runtime; auto picks the faster one here",
    )


def chosen_predictor(args: argparse.Namespace) -> Predictor:
    """Loads the chosen model.

    Raises:
        CheckpointError: There is no such checkpoint, or it cannot be loaded.
        ConfigError: The engine can't run it here.
    """
    return Predictor(find_checkpoint(args.checkpoint), engine=args.engine)
