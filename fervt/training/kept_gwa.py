"""When a run can keep the GWA of the checkpoint that it starts from."""

from dataclasses import fields

from fervt.checkpoint import CheckpointInfo
from fervt.data.transforms import Preprocess
from fervt.errors import ConfigError
from fervt.model import FERVTConfig


def check_same_gwa(
    start: CheckpointInfo | None, config: FERVTConfig, preprocess: Preprocess
) -> None:
    """Checks that a run's GWA gives the maps of its start.

    Args:
        start: Of the checkpoint; None without one.
        config: The run's.
        preprocess: The run's; its mean and standard deviation follow from the data.

    Raises:
        ConfigError: There is none, or a setting that GWA's map depends on differs.
    """
    if start is None:
        raise ConfigError("freeze_gwa needs --init.")
    names = [f.name for f in fields(config) if f.name.startswith(("use_gwa", "gwa_"))]
    ours = {name: getattr(config, name) for name in [*names, "image_size"]}
    theirs = {name: getattr(start.config, name) for name in ours}
    ours["crop"], theirs["crop"] = preprocess.crop, start.preprocess.crop
    for name, value in ours.items():
        if value != theirs[name]:
            raise ConfigError(
                f"freeze_gwa keeps the --init checkpoint's GWA, but {name} is {value} here and "
                f"{theirs[name]} there."
            )
