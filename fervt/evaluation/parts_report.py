"""What each part of a checkpoint contributes: figures, their file, and their wording."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from fervt.amounts import with_range
from fervt.errors import DataError
from fervt.evaluation.beside import Beside, hash_rows
from fervt.evaluation.groups import FEWEST_TO_JUDGE, SAME_FOR_ALL

FILE = "parts.json"
ANOTHERS = "another face's weights"
GNN_OFF = "GNN off"
TOKEN_KEPT = "GWA off, the graph's token kept"

_CLEARLY = 0.3  # of a correlation: follows above stays
_MOST_BYTES = 100_000


@dataclass(frozen=True)
class PartChange:
    """The accuracy with one change, on the same rows as without it.

    Attributes:
        name: What was changed.
        accuracy: With the change, 0..1.
        difference: Accuracy with the change minus that without.
        low: Lower end of the difference's paired 95% bootstrap interval.
        high: Its upper end.
    """

    name: str
    accuracy: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Following:
    """Whether GWA's weights follow a face whose window changed.

    Attributes:
        change: What happened to the window.
        follows: Mean correlation of the new weights with the old ones carried along, -1..1.
        stays: Mean correlation with the old ones where they were, over the same cells.
    """

    change: str
    follows: float
    stays: float


@dataclass(frozen=True)
class PartsReport(Beside):
    """What each part of a checkpoint contributes, on n rows of one split.

    Attributes:
        checkpoint_sha256: Of its file.
        rows_sha256: `hash_rows` of the rows.
        labels_sha256: `hash_labels` of their labels.
        split: Of the data.
        n: Rows.
        accuracy: Of the whole model, 0..1.
        template_share: Share of the weights' variance (over cells and images) that the mean map
            explains, 0..1: 1 is the same map for everybody. None without GWA.
        following: The window moved to the right, down, and zoomed; empty without GWA.
        changes: What was exchanged or switched off.
    """

    FILE: ClassVar[str] = FILE

    checkpoint_sha256: str
    rows_sha256: str
    labels_sha256: str
    split: str
    n: int
    accuracy: float
    template_share: float | None
    following: tuple[Following, ...]
    changes: tuple[PartChange, ...]

    @property
    def is_template(self) -> bool:
        """Whether the weights are nearly the same for every face, if there are enough to say so."""
        return self.n >= FEWEST_TO_JUDGE and (self.template_share or 0.0) > SAME_FOR_ALL

    @property
    def follows_face(self) -> bool:
        """Whether a moved window's weights are clearly more like the old ones moved along.

        The zoom doesn't count: less of a map can be found again in it.
        """
        moves = self.following[:2]
        clear = all(move.follows > move.stays + _CLEARLY for move in moves)
        return bool(moves) and clear and not self.is_template

    def as_bytes(self) -> bytes:
        """The content of its file."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode()


def read_parts(
    folder: Path,
    checkpoint_sha256: str,
    image_sha256: Sequence[str],
    classes: int,
    labels: Iterable[int],
) -> PartsReport | None:
    """Reads parts.json; None if there is none.

    Args:
        folder: Of the saved evaluation.
        checkpoint_sha256: Of the evaluation's checkpoint.
        image_sha256: Of the evaluation's rows.
        classes: How many its checkpoint has; any number will do.
        labels: Of the evaluation's rows.

    Raises:
        DataError: It is damaged, or belongs to another checkpoint, other rows or other labels.
    """
    path = folder / FILE
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError
        report = _parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise DataError(f"'{FILE}' is damaged.") from error
    found = report.checkpoint_sha256, report.rows_sha256, report.n
    if found != (checkpoint_sha256, hash_rows(image_sha256), len(image_sha256)):
        raise DataError(f"'{FILE}' belongs to another checkpoint or other rows.")
    if report.labels_sha256 != hash_labels(labels):
        raise DataError(f"'{FILE}' was measured with other labels.")
    return report


def hash_labels(labels: Iterable[int]) -> str:
    """Hex SHA-256 over rows' labels, in order: accuracies hold for these only."""
    return hash_rows(map(str, labels))


def _parse(values: dict[str, Any]) -> PartsReport:
    share = values["template_share"]
    return PartsReport(
        _text(values["checkpoint_sha256"]),
        _text(values["rows_sha256"]),
        _text(values["labels_sha256"]),
        _text(values["split"]),
        _count(values["n"]),
        _finite(values["accuracy"]),
        None if share is None else _finite(share),
        tuple(
            Following(_text(v["change"]), _finite(v["follows"]), _finite(v["stays"]))
            for v in values["following"]
        ),
        tuple(
            PartChange(
                _text(v["name"]),
                *(_finite(v[k]) for k in ("accuracy", "difference", "low", "high")),
            )
            for v in values["changes"]
        ),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(number := float(value)):
        raise ValueError
    return number


def changes_table(report: PartsReport) -> list[tuple[str, str, str]]:
    """One line per change: what it is, the accuracy with it, and the difference in points."""
    return [
        (
            change.name[0].upper() + change.name[1:],
            f"{change.accuracy:.1%}",
            with_range(100 * change.difference, 100 * change.low, 100 * change.high),
        )
        for change in report.changes
    ]


CHANGES_HEADER: Sequence[str] = ("With", "Accuracy", "Difference in points, 95% interval")


def compare_changes(reports: Sequence[PartsReport]) -> list[tuple[str, ...]]:
    """One line per change that any of them has: what it is, and each one's difference in points."""
    tables = [{name: cost for name, _, cost in changes_table(report)} for report in reports]
    names = dict.fromkeys(name for table in tables for name in table)
    return [(name, *(table.get(name, "–") for table in tables)) for name in names]


def describe_rows(report: PartsReport, truth: str) -> str:
    """On which faces the changes were measured, and what the unchanged model reaches there.

    Args:
        report: What was measured.
        truth: Title of the label set; "" for a person's own images.
    """
    labels = f", {truth} labels" if truth else ""
    return (
        f"On {report.split} (n = {report.n:,}{labels}), where the unchanged model reaches "
        f"{report.accuracy:.1%}."
    )


def describe_wrong_map(report: PartsReport) -> str:
    """What it means if another face's map costs clearly more than leaving out the graph; or "".

    Said only where the map works through the graph: without it but with the graph's token, nothing
    clear is lost. Then the graph's absence is what a map that says nothing costs.
    """
    found = {change.name: change for change in report.changes}
    if report.n < FEWEST_TO_JUDGE or not {ANOTHERS, GNN_OFF, TOKEN_KEPT} <= set(found):
        return ""
    if found[ANOTHERS].high >= found[GNN_OFF].low or found[TOKEN_KEPT].high < 0:
        return ""
    return (
        "Another face's weights cost more than leaving out the graph, which reads them. So the "
        "answer is disturbed by a map that doesn't fit the face, and this costs more than the map "
        "adds."
    )


def describe_following(report: PartsReport) -> str:
    """In words: does attention follow the face?"""
    if not report.following:
        return "It has no grid-wise attention."
    share = report.template_share or 0.0
    if report.is_template:
        verdict = "is nearly the same map for every face"
    elif report.follows_face:
        verdict = "follows the face"
    elif all(move.follows > move.stays for move in report.following[:2]):
        verdict = "follows the face in part"
    else:
        verdict = "doesn't follow the face"
    first, *others = report.following
    then = "".join(f"; {m.change}, {m.follows:z.2f} and {m.stays:z.2f}" for m in others)
    return (
        f"Its attention {verdict}. With the window on the face moved {first.change}, its map "
        f"correlates {first.follows:z.2f} with the old map moved along with the face, and "
        f"{first.stays:z.2f} with the old map left in place{then}."
        + (
            f" The mean map over all faces explains {share:.0%} of how the weights vary."
            if report.n >= FEWEST_TO_JUDGE
            else ""
        )
    )
