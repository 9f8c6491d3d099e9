"""Whether a checkpoint's GWA map is nearly the same for every face, as measured beforehand."""

from typing import NamedTuple

from fervt.errors import DataError
from fervt.evaluation.store import EvaluationStore
from fervt.explain import SOURCES
from fervt.predict import Predictor
from fervt.ui.evaluation.selection import load_evaluation


class SameMap(NamedTuple):
    """What is said of a map that says little about a single face.

    Attributes:
        said: One plain sentence.
        measured: How it was measured, in another.
    """

    said: str
    measured: str


def say_same(predictor: Predictor) -> SameMap | None:
    """What is said below a checkpoint's GWA map; None if it was not measured, or is not so."""
    for folder in EvaluationStore().folders(predictor.name).values():
        try:
            report = load_evaluation(folder).parts()
        except DataError:  # Evaluation says what is wrong with the file
            continue
        # An upload may bear a shipped checkpoint's name.
        if report is None or report.checkpoint_sha256 != predictor.sha256:
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
