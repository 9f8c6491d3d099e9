"""What the sections of the Evaluation page share: which evaluation, which of its rows.

All of it is in the address: split, label set, averaging, copies, the cell of the confusion
matrix and the face being looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fervt.checkpoint import CheckpointInfo
from fervt.errors import DataError
from fervt.evaluation.averaging import AVERAGINGS, Averaging
from fervt.evaluation.more_files import MORE_FILES
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import FILES, SavedEvaluation, read_evaluation
from fervt.evaluation.words import AVERAGED
from fervt.labels import FER2013, FERPLUS, VOCABULARIES, Vocabulary, expression
from fervt.ui.choices import pick_flag, pick_one
from fervt.ui.corrections import correct_rows, open_corrections
from fervt.ui.dataset_faces import FaceBook
from fervt.ui.text import as_text

_IN_ADDRESS: dict[Averaging, str] = {"none": "0", "flip": "1", "five-crop": "five-crop"}
_TITLES: dict[Averaging, str] = {"none": "No", "flip": "Mirror image", "five-crop": "Five crops"}
_RULES: dict[Averaging, str] = {
    "none": "",
    "flip": "Answers are averaged with those for the mirror image.",
    "five-crop": "Answers are averaged over five crops of the face, none of them mirrored.",
}
CORRECTED = "corrected"
COPIES_HELP = "Some test faces are also, pixel for pixel, in an earlier split. Off leaves them out."


@dataclass(frozen=True, eq=False)
class EvaluationView:
    """The view of one saved evaluation.

    Attributes:
        evaluation: The whole evaluation.
        rows: Those that the choices keep.
        truth: The label set used as ground truth.
        averaging: What each answer is averaged over.
        copies: Whether images that are also in earlier splits are kept.
        info: The checkpoint's metadata.
        faces: The images, if a prepared file is at hand.
        labels_key: Identifies the labels if people corrected them.
    """

    evaluation: SavedEvaluation
    rows: Rows
    truth: Vocabulary
    averaging: Averaging
    copies: bool
    info: CheckpointInfo
    faces: FaceBook | None
    labels_key: str = ""

    @property
    def names(self) -> list[str]:
        """The display names of the classes."""
        return [expression(label).name for label in self.rows.classes]

    @property
    def labels(self) -> str:
        """Whose labels count as right."""
        return "the corrected labels" if self.labels_key else f"{self.truth.title}'s labels"

    @property
    def rule(self) -> str:
        """How rows and answers were chosen, in sentences; "" for the usual way."""
        labels = "Labels are as people corrected them in this workbench." if self.labels_key else ""
        return f"{labels} {describe_rule(self.averaging, self.copies)}".strip()

    @property
    def key(self) -> str:
        """Identifies the rows in caches."""
        choices = f"{self.truth.name}-{self.averaging}-{self.copies}{self.labels_key}"
        return f"{self.evaluation.digest}-{choices}"


def load_evaluation(folder: Path) -> SavedEvaluation:
    """A saved evaluation, read once for everybody until its files change.

    Raises:
        DataError: It is damaged.
    """
    return _load(str(folder), tuple(_stamp(folder / name) for name in (*FILES, *MORE_FILES)))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:  # not there, or just being replaced
        return None
    return stat.st_mtime_ns, stat.st_size


@st.cache_resource(max_entries=12, show_spinner="Reading the evaluation")
def _load(folder: str, stamps: tuple[Any, ...]) -> SavedEvaluation:
    return read_evaluation(Path(folder))


def pick_view(
    evaluation: SavedEvaluation,
    info: CheckpointInfo,
    faces: FaceBook | None,
    controls: DeltaGenerator,
) -> EvaluationView:
    """Draws the choices of rows into the row of controls; returns the resulting view."""
    counted = {
        truth.name: title
        for truth, title in ((FER2013, FER2013.title), (FERPLUS, f"{FERPLUS.title} majority"))
        if truth is evaluation.truth or (evaluation.plain[f"label_{truth.name}"] >= 0).any()
    }
    if open_corrections() is not None:
        counted[CORRECTED] = "As corrected here"
    truth = evaluation.truth.name
    with controls:
        if len(counted) > 1 and not evaluation.of_own_images:
            truth = pick_one(
                "Labels",
                "truth",
                counted,
                truth,
                help="Which labels count as right: FER2013's own, or the majority of FER+'s ten "
                "annotators of the same faces, where there is one.",
            )
        averaging, copies = pick_rows([evaluation], bool(evaluation.plain["is_copy"].any()))
    if truth == CORRECTED:
        plain = evaluation.rows(averaging=averaging, copies=copies)
        rows, said = correct_rows(plain)
        st.caption(
            f"As corrected here: {said:,} of {len(plain):,} faces, {len(plain) - len(rows):,} of "
            "them left without a label."
        )
        view = EvaluationView(evaluation, rows, evaluation.truth, averaging, copies, info, faces)
        return replace(view, labels_key=f"-{hash(rows.labels.tobytes())}")
    rows = evaluation.rows(averaging=averaging, copies=copies, truth=VOCABULARIES[truth])
    return EvaluationView(evaluation, rows, VOCABULARIES[truth], averaging, copies, info, faces)


def pick_rows(
    evaluations: Sequence[SavedEvaluation], has_copies: bool = True
) -> tuple[Averaging, bool]:
    """Draws the choice of how answers are made and which rows count.

    Args:
        evaluations: Those shown together.
        has_copies: Whether there are duplicates to leave out.

    Returns:
        What each answer is averaged over, and whether duplicates count.
    """
    averagings, problem = find_averagings(evaluations)
    titles = {_IN_ADDRESS[way]: _TITLES[way] for way in averagings}
    about = " ".join(filter(None, (AVERAGED[way] for way in averagings)))
    with st.popover("Options", icon=":material/tune:"):
        chosen = pick_one("Average predictions", "tta", titles, _IN_ADDRESS["none"], help=about)
        if problem:
            st.warning(as_text(problem), icon=":material/link_off:")
        elif lacking := _without_five_crop(evaluations):
            st.caption(
                f"Five crops of {as_text(' and '.join(lacking))} were not measured.",
                help="The Evaluation page measures them, and so does `fervt evaluate --five-crop`.",
            )
        copies = not has_copies or pick_flag("Include duplicates", "copies", True, help=COPIES_HELP)
    return next(way for way in averagings if _IN_ADDRESS[way] == chosen), copies


def find_averagings(evaluations: Sequence[SavedEvaluation]) -> tuple[tuple[Averaging, ...], str]:
    """What all of the evaluations can be averaged over, and what is wrong if a file is damaged.

    A damaged file of five crops removes only that choice.
    """
    try:
        return tuple(w for w in AVERAGINGS if all(w in e.averagings for e in evaluations)), ""
    except DataError as error:
        return AVERAGINGS[:2], str(error)


def _without_five_crop(evaluations: Sequence[SavedEvaluation]) -> list[str]:
    """Which of the evaluations keep the others from being compared over five crops."""
    whole = [e for e in evaluations if e.metrics.neutralized is None]
    lacking = [e.title for e in whole if "five-crop" not in e.averagings]
    return lacking if len(lacking) < len(whole) else []


def describe_rule(averaging: Averaging, copies: bool) -> str:
    """How answers are made and which rows count, in sentences; "" for the usual way."""
    rules = _RULES[averaging], "" if copies else "Copies of faces in earlier splits are left out."
    return " ".join(filter(None, rules))


def percent(value: float | None, digits: int = 1) -> str:
    """A share as text; a dash if there is none."""
    return "–" if value is None else f"{100 * value:.{digits}f}%"
