"""Whether a checkpoint's GWA map is nearly the same for every face, as measured beforehand."""

from typing import NamedTuple

from fervt.errors import DataError
from fervt.evaluation.store import EvaluationStore
from fervt.explain import SOURCES
from fervt.labels import SPLITS


class SameMap(NamedTuple):
    """What is said of a map that says little about a single face.

    Attributes:
        said: One plain sentence.
        measured: How it was measured, in another.
    """

    said: str
    measured: str


def find_same_map(sha256: str, store: EvaluationStore | None = None) -> SameMap | None:
    """What is said beside a checkpoint's GWA map; None if it was not measured, or is not so.

    Args:
        sha256: Of its file: a person's own checkpoint may bear a shipped one's name.
        store: Where its evaluations are; the shipped ones by default.
    """
    for split in reversed(SPLITS):
        try:
            saved = (store or EvaluationStore()).find_file(sha256, split)
            report = None if saved is None else saved.parts()
        except DataError:  # Evaluation says what is wrong with the file
            continue
        if report is None:
            continue
        if report.template_share is None or not report.is_template:
            return None
        share = f"{report.template_share:.0%}"
        return SameMap(
            f"Nearly the same for every face: the average map explains {share} of it.",
            f"Over {report.n:,} faces of {report.split}, the average map explains {share} of the "
            f"variance of {SOURCES['gwa'].inline}.",
        )
    return None
