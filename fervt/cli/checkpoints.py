"""`fervt checkpoints`: the shipped checkpoints, the flagship first."""

import argparse
import json
from dataclasses import asdict

from fervt.evaluation.store import describe_shipped

HELP = "list the shipped checkpoints"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args: argparse.Namespace) -> int:
    """Prints a table, or JSON."""
    found = describe_shipped()
    if args.json:
        print(json.dumps([asdict(item) for item in found], indent=1))
        return 0
    for item in found:
        best = item.metrics.get("PrivateTest")
        figure = f"{100 * best.accuracy:.2f}% PrivateTest" if best else "not evaluated"
        print(
            f"{item.name}: {len(item.classes)} classes, {item.parameters / 1e6:.1f} M parameters, "
            f"{item.file_bytes / 1e6:.1f} MB, {item.gmac:.2f} GMAC, {figure}"
        )
    return 0
