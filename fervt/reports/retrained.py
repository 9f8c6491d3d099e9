"""What networks learn that are trained without a part: assets/ablations.json, in words."""

import json
from pathlib import Path
from typing import Any

from fervt.amounts import points
from fervt.errors import DataError
from fervt.resources import ASSETS

ABLATIONS = ASSETS / "ablations.json"


def training_ablation_table(path: Path = ABLATIONS) -> str:
    """The accuracy of networks trained without a part in equal time, as Markdown.

    Args:
        path: What scripts/ablations.py wrote.

    Returns:
        A table and what it shows; empty if there is no such file.

    Raises:
        DataError: The file is damaged.
    """
    if not path.is_file():
        return ""
    try:
        return _describe(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"'{path.name}' is damaged.") from error


def _describe(entry: dict[str, Any]) -> str:
    rows = entry["variants"]
    lines = [
        "Retrained from scratch in equal time: a network without a part gets as many more epochs "
        f"as the part costs (width {entry['width']}, {entry['image_size']} px, stem "
        f"`{entry['stem']}`). Accuracy and log loss on {entry['split']} "
        f"(n = {entry['n']:,}) after each run's best epoch, mean and standard deviation over "
        "seeds:",
        "",
        "| Trained | Epochs | Accuracy | Log loss | Seeds |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        spread, losses = row["standard_deviation"], row["log_losses"]
        lines.append(
            f"| {row['variant']} | {row['epochs']} | {row['mean']:.1%}"
            + (f" ± {100 * spread:.1f}" if spread is not None else "")
            + f" | {sum(losses) / len(losses):.3f} | {len(losses)} |"
        )
    named = {row["variant"]: row for row in rows}
    full, neither = named.get("full"), named.get("without both")
    if full and neither and min(neither["accuracies"]) > max(full["accuracies"]):
        ahead = points(neither["mean"] - full["mean"]).removeprefix("+")
        lines += [
            "",
            "Every network trained without both is more accurate than every full one, by "
            f"{ahead} on average. On a training budget this short, GWA and the graph give "
            "evidence, not accuracy.",
        ]
    return "\n".join(lines)
