"""`fervt train`: trains a FERVT-GNN on a prepared file."""

import argparse
import dataclasses
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

from fervt.checkpoint import find_checkpoint
from fervt.data.prepared import PreparedData, read_prepared
from fervt.data.transforms import Augment
from fervt.errors import ConfigError
from fervt.model import FERVTConfig
from fervt.threads import limit_process
from fervt.training.distributed import process_group
from fervt.training.loop import Trainer
from fervt.training.settings import TrainConfig

HELP = "train a FERVT-GNN on a prepared file"

_SECTIONS: dict[str, Any] = {"model": FERVTConfig, "train": TrainConfig, "augment": Augment}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options: files first, then one for every field of the configurations."""
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--out", type=Path, required=True, help="folder for state and checkpoint")
    parser.add_argument(
        "--config", type=Path, help="TOML file with a description, [model], [train] and [augment]"
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue from the state in --out, if any"
    )
    parser.add_argument(
        "--init", metavar="CHECKPOINT", help="name or file; start from its matching weights"
    )
    parser.add_argument(
        "--teacher",
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="a teacher's saved evaluation of Training (--teacher-weight); repeatable",
    )
    parser.add_argument(
        "--distill",
        metavar="CHECKPOINT",
        help="name or file of a teacher that sees every augmented view (--distill-weight)",
    )
    parser.add_argument(
        "--imagenet",
        metavar="FILE",
        help="torchvision's resnet34 weights, or 'download' to let torchvision fetch them",
    )
    parser.add_argument("--max-minutes", type=float, help="stop at a resumable point after this")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads")
    for section, kind in _SECTIONS.items():
        group = parser.add_argument_group(section)
        for item in dataclasses.fields(kind):
            _add_field(group, item)


def _add_field(group: Any, item: dataclasses.Field) -> None:
    flag = "--" + item.name.replace("_", "-")
    text = f"{item.metadata.get('help', item.name.replace('_', ' '))} (default {item.default})"
    if item.type is bool:
        group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
    else:
        choices = get_args(item.type) or None
        kind = item.type if item.type in (int, float, str) else str
        group.add_argument(flag, type=kind, choices=choices, default=None, help=text)


def read_settings(
    file: Path | None, options: dict[str, Any]
) -> tuple[FERVTConfig, TrainConfig, Augment, str]:
    """Merges a configuration file with command-line options, which take precedence.

    Returns:
        model, training and augmentation settings, and the file's description ("" if none).

    Raises:
        ConfigError: The file is unreadable or contains an unknown name.
    """
    content: dict[str, Any] = {}
    if file is not None:
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:  # tomllib raises others too
            raise ConfigError(f"'{file}' cannot be read as TOML ({error}).") from error
    description = content.pop("description", "")
    made = []
    for section, kind in _SECTIONS.items():
        values = content.pop(section, {})
        if not isinstance(values, dict):
            raise ConfigError(f"'{file}': {section} must be a section, [{section}].")
        known = {item.name: item for item in dataclasses.fields(kind)}
        unknown = sorted(values.keys() - known.keys())
        if unknown:
            raise ConfigError(f"'{file}' has the unknown setting {section}.{unknown[0]}.")
        for name, item in known.items():
            value = values.get(name)
            if item.type is float and type(value) is int and abs(value) <= sys.float_info.max:
                values[name] = float(value)
            if options.get(name) is not None:
                values[name] = options[name]
        made.append(kind(**values))
    if content:
        raise ConfigError(f"'{file}' has the unknown section '{next(iter(content))}'.")
    return made[0], made[1], made[2], str(description)


def run(args: argparse.Namespace) -> int:
    """Trains; exits 0 when finished and when stopped at a resumable point."""
    if args.imagenet and args.init:
        raise ConfigError("Start from --imagenet or from --init, not from both.")
    settings = read_settings(args.config, vars(args))
    if args.threads is not None:
        if args.threads < 1:
            raise ConfigError("--threads must be at least 1.")
        limit_process(args.threads)
    data = read_prepared(args.data, ("Training", "PublicTest"))
    with process_group(args.device):
        _train(args, data, *settings)
    return 0


def _train(
    args: argparse.Namespace,
    data: PreparedData,
    model_config: FERVTConfig,
    config: TrainConfig,
    augment: Augment,
    description: str,
) -> None:
    """One run. A function of its own: the trainer must be gone before the process group is."""
    imagenet: Any = args.imagenet
    if imagenet not in (None, "download"):
        imagenet = Path(imagenet)
    trainer = Trainer(
        data,
        args.out,
        model_config,
        config,
        augment,
        device=args.device,
        init=find_checkpoint(args.init) if args.init else None,
        teachers=args.teacher,
        distill=find_checkpoint(args.distill) if args.distill else None,
        imagenet=imagenet,
        description=description,
    )
    result = trainer.run(resume=args.resume, max_minutes=args.max_minutes)
    if trainer.rank == 0:
        state = "finished" if result.finished else "stopped; continue with --resume"
        print(
            f"{state}: {len(result.history)} epochs, PublicTest accuracy {result.accuracy:.4f} "
            f"(n = {len(trainer.fit.public_labels)}), checkpoint {result.best or 'none yet'}"
        )
