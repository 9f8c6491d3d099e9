"""`fervt prepare`: validates a downloaded data set and writes the file that training reads."""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from fervt.cli.outputs import refuse_overwriting
from fervt.cli.progress_bar import progress_bar
from fervt.data.prepared import PreparedData, write_prepared
from fervt.data.sources import read_source
from fervt.errors import ConfigError
from fervt.labels import FER2013, FERPLUS, SPLITS

HELP = "validate a downloaded FER2013 and write the file that training reads"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options: the source, FER+'s votes, the output file and the splits to keep."""
    parser.add_argument(
        "source",
        type=Path,
        help="fer2013.csv, icml_face_data.csv, a folder train|test/<class>/, or a .parquet file",
    )
    parser.add_argument("--ferplus", type=Path, metavar="FILE", help="FER+'s fer2013new.csv")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    parser.add_argument(
        "--splits", default=",".join(SPLITS), help="splits to keep, comma-separated (default: all)"
    )


def run(args: argparse.Namespace) -> int:
    """Reads and validates the source, writes the prepared file and prints a summary."""
    splits = [name.strip() for name in args.splits.split(",")]
    for name in splits:
        if name not in SPLITS:
            raise ConfigError(f"--splits: '{name}' is none of {', '.join(SPLITS)}.")
    if args.out.is_dir():
        raise ConfigError(f"--out: {args.out} is a folder, not a file.")
    refuse_overwriting("--out", args.out, filter(None, (args.source, args.ferplus)))

    with progress_bar() as report:
        data, notes = read_source(args.source, args.ferplus, report)
    for name in splits:
        data.split(name)
    kept = data.select(np.isin(data.usage, splits))
    with progress_bar() as report:
        written = write_prepared(kept, args.out, report)

    print(f"{data.source}: {len(data):,} images; splits by {data.split_rule}")
    for note in notes:
        print(note)
    print(f"\n{_class_table(data)}\n\n{_copies(data)}")
    if data.votes.any():
        print(f"\n{_ferplus_table(data)}")
    print(
        f"\nWrote {args.out}: {len(written):,} images ({', '.join(splits)}), "
        f"{args.out.stat().st_size / 1e6:.1f} MB\nContent hash {written.content_hash}"
    )
    return 0


def _class_table(data: PreparedData) -> str:
    names = np.array(FER2013.classes)[data.label_fer2013]
    return _table(pd.Series(names, name="FER2013"), data.usage, FER2013.classes)


def _ferplus_table(data: PreparedData) -> str:
    label = data.label_ferplus
    classes = (*FERPLUS.classes, "no majority", "no votes")
    names = np.where(label >= 0, np.array(FERPLUS.classes)[label], "no majority")
    names[~data.votes.any(axis=1)] = "no votes"
    table = _table(pd.Series(names, name="FER+"), data.usage, classes)
    kept = ", ".join(f"{((data.usage == s) & (label >= 0)).sum():,} {s}" for s in SPLITS)
    return f"{table}\nFER+ majority: {kept}"


def _table(names: pd.Series, usage: np.ndarray, classes: Iterable[str]) -> str:
    counts = pd.crosstab(names, pd.Series(usage)).reindex(
        index=list(classes), columns=list(SPLITS), fill_value=0
    )
    counts.loc["total"] = counts.sum(axis=0)
    counts["total"] = counts.sum(axis=1)
    counts.index.name = None
    counts.columns.name = names.name
    return counts.to_string(formatters=dict.fromkeys(counts.columns, "{:,}".format))


def _copies(data: PreparedData) -> str:
    """Lines on exact copies; within a split, each row after the first with its pixels is one."""
    lines = []
    for i, name in enumerate(SPLITS):
        mask = data.usage == name
        parts = [f"{mask.sum() - len(np.unique(data.sha256[mask])):,} within"]
        for earlier in SPLITS[:i]:
            shared = np.strings.find(data.other_splits[mask], earlier) >= 0
            parts.append(f"{shared.sum():,} of {earlier}")
        if i > 1:
            parts.append(f"{data.is_copy[mask].sum():,} of either")
        lines.append(f"  {name}: {', '.join(parts)}")
    return "Exact copies\n" + "\n".join(lines)
