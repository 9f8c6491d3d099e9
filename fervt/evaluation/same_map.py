"""Whether a checkpoint's GWA map is nearly the same for every face, as measured beforehand."""

from typing import NamedTuple

from fervt.checkpoint import read_info, shipped_checkpoints
from fervt.errors import CheckpointError, DataError
from fervt.evaluation.parts_report import PartsReport
from fervt.evaluation.store import EvaluationStore
from fervt.explain import SOURCES
from fervt.files import file_sha256
from fervt.labels import SPLITS, Vocabulary


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
    report = _find_report(sha256, store or EvaluationStore())
    if report is None or report.template_share is None or not report.is_template:
        return None
    share = f"{report.template_share:.0%}"
    return SameMap(
        f"Nearly the same for every face: the average map explains {share} of its variance.",
        f"Over {report.n:,} faces of {report.split}, the average map explains {share} of the "
        f"variance of {SOURCES['gwa'].inline}.",
    )


def find_following(classes: Vocabulary, store: EvaluationStore | None = None) -> str | None:
    """The first shipped checkpoint with these classes whose GWA map follows the face, if any.

    Args:
        classes: Of the checkpoint that it is to replace.
        store: Where the evaluations are; the shipped ones by default.
    """
    for name, path in shipped_checkpoints().items():
        try:
            fits = read_info(path).config.classes == classes
            report = _find_report(file_sha256(path), store or EvaluationStore()) if fits else None
        except (CheckpointError, OSError):  # the others can still be offered
            continue
        if report is not None and report.follows_face:
            return name
    return None


def _find_report(sha256: str, store: EvaluationStore) -> PartsReport | None:
    """What its parts contribute, on PrivateTest if that was measured."""
    for split in reversed(SPLITS):
        try:
            saved = store.find_file(sha256, split)
            report = None if saved is None else saved.parts()
        except DataError:  # Evaluation says what is wrong with the file
            continue
        if report is not None:
            return report
    return None
