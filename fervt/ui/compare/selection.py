"""What the sections of the Compare page share: which checkpoints, joined on the same faces.

The first is the one that the others are compared with, and may be the visitor's own. The address
names all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from fervt.checkpoint import shipped_checkpoints
from fervt.errors import DataError
from fervt.evaluation.averaging import Averaging
from fervt.evaluation.comparison import Joined, compare, join_evaluations
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.store import EvaluationStore
from fervt.labels import FER2013, FERPLUS, SPLITS, VOCABULARIES, Vocabulary, expression
from fervt.metrics import Difference, McNemar, mcnemar
from fervt.predict import Predictor
from fervt.ui.address import put, read
from fervt.ui.checkpoints import is_own, load_shipped, mark_own
from fervt.ui.choices import pick_one, put_choice
from fervt.ui.dead_links import say_unknown
from fervt.ui.evaluation.selection import describe_rule, load_evaluation, pick_rows
from fervt.ui.navigation import link_parameters, link_to
from fervt.ui.own_evaluation import find_evaluated
from fervt.ui.text import as_text

WITH, OTHER = "with", "other"
MOST = 4
_WIDGET = "compare_with"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two to four evaluations of the same faces.

    Attributes:
        names: K names; the first is the one that the others are compared with.
        first: That checkpoint.
        evaluations: K.
        joined: The same rows of each, with the same truth.
        truth: The label set used as ground truth.
        differences: K - 1, of accuracy and macro-F1, against the first.
        tests: K - 1 tests against the first.
        key: Identifies all of this in caches.
        rule: How answers are made and which rows count, in sentences; "" for the default.
    """

    names: tuple[str, ...]
    first: Predictor
    evaluations: tuple[SavedEvaluation, ...]
    joined: Joined
    truth: Vocabulary
    differences: tuple[dict[str, Difference], ...]
    tests: tuple[McNemar, ...]
    key: str
    rule: str

    @property
    def rows(self) -> tuple[Rows, ...]:
        """K sets of the same rows."""
        return self.joined.rows

    @property
    def class_names(self) -> list[str]:
        """The display names of the shared classes."""
        return [expression(label).name for label in self.rows[0].classes]


@dataclass(frozen=True, eq=False)
class Lineup:
    """The chosen checkpoints, whether or not their evaluations can be compared.

    Attributes:
        names: K names; the first is the one that the others are compared with.
        first: That checkpoint.
        comparison: Of their evaluations; None if they cannot be compared.
        problem: Why there is none, in sentences.
        is_to_evaluate: Whether the visitor can fix that by evaluating the first.
    """

    names: tuple[str, ...]
    first: Predictor
    comparison: Comparison | None = None
    problem: str = ""
    is_to_evaluate: bool = False

    def load(self, name: str) -> Predictor:
        """One of the checkpoints.

        Raises:
            CheckpointError: It is damaged.
        """
        return self.first if name == self.names[0] else load_shipped(name)


def pick_lineup(predictor: Predictor) -> Lineup:
    """Draws the choices; returns the checkpoints and, where possible, their comparison.

    Args:
        predictor: The checkpoint that all pages share.
    """
    own = is_own(predictor)
    first = mark_own(predictor.name) if own else predictor.name
    evaluated = find_evaluated(predictor) if own else None
    store = EvaluationStore()
    folders = {name: store.folders(name) for name in shipped_checkpoints() if name != first}
    chosen = _pick_others(first, sorted(folders, key=lambda name: not folders[name]))
    lineup = Lineup((first, *chosen), predictor)
    found = {} if own else store.folders(predictor.name)
    if evaluated is None and not found:
        return _say_what_is_missing(lineup, own)
    if not chosen:
        return replace(lineup, problem="Choose one to three checkpoints to compare it with.")
    missing = [name for name in chosen if not folders[name]]
    if missing:
        return replace(
            lineup,
            problem=f"No evaluation of {' or '.join(missing)} is saved. A comparison needs one of "
            "each checkpoint.",
        )
    known = [set(found) if evaluated is None else {evaluated.split}]
    known += [set(folders[name]) for name in chosen]
    splits = [split for split in reversed(SPLITS) if all(split in each for each in known)]
    if not splits:
        return replace(lineup, problem=_say_splits(lineup.names, known))
    try:
        return replace(lineup, comparison=_pick_comparison(lineup, splits, found, folders))
    except DataError as error:
        return replace(lineup, problem=f"{error} Choose other labels or checkpoints.")


def _pick_comparison(
    lineup: Lineup,
    splits: Sequence[str],
    found: Mapping[str, Path],
    folders: Mapping[str, Mapping[str, Path]],
) -> Comparison:
    names, predictor = lineup.names, lineup.first
    evaluated = None if found else find_evaluated(predictor)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = pick_one("Split", "split", splits, splits[0])
        evaluations = (
            load_evaluation(found[split]) if evaluated is None else evaluated,
            *(load_evaluation(folders[name][split]) for name in names[1:]),
        )
        truth = pick_one(
            "Labels",
            "truth",
            {FER2013.name: FER2013.title, FERPLUS.name: f"{FERPLUS.title} majority"},
            _common_truth(evaluations),
            help="One label set is the ground truth for all.",
        )
        averaging, copies = pick_rows(evaluations)
    digests = [predictor.sha256, *(evaluation.digest for evaluation in evaluations)]
    key = "-".join([*digests, truth, averaging, str(copies)])
    if evaluated is None:
        return _compare_saved(names, predictor, evaluations, truth, averaging, copies, key)
    return evaluated.remember(  # and forgotten with it
        key, lambda: _compare(names, predictor, evaluations, truth, averaging, copies, key)
    )


def _say_splits(names: Sequence[str], known: Sequence[set[str]]) -> str:
    where = ", ".join(
        f"{name} on {' and '.join(split for split in SPLITS if split in each)}"
        for name, each in zip(names, known, strict=True)
    )
    return f"They have no split in common: {where}."


def _common_truth(evaluations: Sequence[SavedEvaluation]) -> str:
    """FER+ as soon as one of them was measured on it: its rows alone have a majority of votes."""
    found = {evaluation.truth.name for evaluation in evaluations}
    return FERPLUS.name if FERPLUS.name in found else FER2013.name


def _compare(
    names: tuple[str, ...],
    predictor: Predictor,
    evaluations: tuple[SavedEvaluation, ...],
    truth: str,
    averaging: Averaging,
    copies: bool,
    key: str,
) -> Comparison:
    joined = join_evaluations(evaluations, VOCABULARIES[truth], averaging=averaging, copies=copies)
    base, *others = joined.rows
    return Comparison(
        names,
        predictor,
        evaluations,
        joined,
        VOCABULARIES[truth],
        tuple(compare(base, other) for other in others),
        tuple(mcnemar(base.right, other.right) for other in others),
        key,
        describe_rule(averaging, copies),
    )


@st.cache_resource(max_entries=12, show_spinner="Comparing")
def _compare_saved(
    names: tuple[str, ...],
    _predictor: Predictor,
    _evaluations: tuple[SavedEvaluation, ...],
    truth: str,
    averaging: Averaging,
    copies: bool,
    key: str,
) -> Comparison:
    return _compare(names, _predictor, _evaluations, truth, averaging, copies, key)


def _say_what_is_missing(lineup: Lineup, own: bool) -> Lineup:
    first = lineup.names[0]
    if own:
        said = (
            f"{first} has to be evaluated before its figures can be compared: on Evaluation, under "
            "“Evaluate data”, on a split of a prepared file. “One face” and “Cost” work without it."
        )
    else:
        said = f"No evaluation of {first} is saved, so there are no figures to compare."
    return replace(lineup, problem=said, is_to_evaluate=own)


def show_problem(lineup: Lineup) -> None:
    """Draws why there is no comparison, in the place where it would be."""
    st.info(as_text(lineup.problem), icon=":material/join:")
    if lineup.is_to_evaluate:
        link_to("evaluation", parameters=link_parameters() | {"source": "data"})


def _pick_others(first: str, others: Sequence[str]) -> list[str]:
    chosen = _wanted_others(first, others)
    st.session_state[_WIDGET] = chosen
    st.multiselect(
        f"Compare {first} with",
        others,
        key=_WIDGET,
        max_selections=MOST - 1,
        on_change=_store_others,
        help="The first one is chosen in the sidebar.",
    )
    return chosen


def _wanted_others(first: str, others: Sequence[str]) -> list[str]:
    named = read(WITH)
    if named is None:
        return list(others[:1])
    asked = [name for name in named.split(",") if name]
    chosen = [name for name in others if name in asked][: MOST - 1]
    if unknown := [name for name in asked if name not in (first, *others)]:
        chosen = chosen or list(others[:1])
        shown = " and ".join(f"'{name}'" for name in chosen)
        say_unknown(WITH, "', '".join(unknown), shown or "none")
    return chosen


def _store_others() -> None:
    put_choice(WITH, ",".join(st.session_state[_WIDGET]))
    if read(OTHER) not in st.session_state[_WIDGET]:
        put(OTHER, None)


def pick_other(comparison: Comparison) -> int:
    """Draws the choice of the other checkpoint in a section; returns its position, 1 or more."""
    others = comparison.names[1:]
    if len(others) == 1:
        return 1
    name = pick_one(f"Against {comparison.names[0]}", OTHER, list(others), others[0])
    return comparison.names.index(name)
