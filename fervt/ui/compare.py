"""What the sections of the Compare page share: which checkpoints, joined on the same faces.

The first is the one that the others are compared with. The address names all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from fervt.checkpoint import shipped_checkpoints
from fervt.labels import FER2013, FERPLUS, SPLITS, VOCABULARIES, Vocabulary, expression
from fervt.metrics import Difference, McNemar, mcnemar
from fervt.report import compare
from fervt.saved import Joined, Rows, SavedEvaluation, join_evaluations, saved_folders
from fervt.ui.choices import pick_flag, pick_one, put
from fervt.ui.evaluation import load_evaluation

WITH = "with"
MOST = 4
_WIDGET = "compare_with"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two to four evaluations on the same faces.

    Attributes:
        names: K names; the first is the one that the others are compared with.
        evaluations: K.
        joined: The same rows of each, with the same truth.
        truth: The label set that counts.
        differences: K - 1, of accuracy and macro-F1, against the first.
        tests: K - 1 tests against the first.
        key: Names all of this in caches.
    """

    names: tuple[str, ...]
    evaluations: tuple[SavedEvaluation, ...]
    joined: Joined
    truth: Vocabulary
    differences: tuple[dict[str, Difference], ...]
    tests: tuple[McNemar, ...]
    key: str

    @property
    def rows(self) -> tuple[Rows, ...]:
        """K sets of the same rows."""
        return self.joined.rows

    @property
    def class_names(self) -> list[str]:
        """The common classes as people call them."""
        return [expression(label).name for label in self.rows[0].classes]


def pick_comparison(first: str) -> Comparison | None:
    """Draws the choices; gives the comparison, None where there is nothing to compare.

    Args:
        first: The checkpoint that all pages share.

    Raises:
        DataError: The evaluations cannot be joined, or one is damaged.
    """
    folders = {name: saved_folders(name) for name in shipped_checkpoints()}
    others = [name for name, found in folders.items() if found and name != first]
    if not folders.get(first):
        st.info(f"No evaluation of {first} is saved, so there is nothing to compare.")
        return None
    if not others:
        st.info("Only one checkpoint here has a saved evaluation; a comparison needs two.")
        return None
    chosen = _pick_others(first, others)
    names = (first, *chosen)
    splits = [s for s in reversed(SPLITS) if all(s in folders[name] for name in names)]
    if not chosen or not splits:
        st.info("Choose one to three checkpoints that were evaluated on the same split.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = pick_one("Split", "split", splits, splits[0])
        evaluations = tuple(load_evaluation(folders[name][split]) for name in names)
        truth = pick_one(
            "Labels",
            "truth",
            {FER2013.name: FER2013.title, FERPLUS.name: f"{FERPLUS.title} majority"},
            evaluations[0].truth.name,
            help="One label set is the truth for all.",
        )
        tta = pick_flag("Mirrored too", "tta")
        copies = pick_flag("Keep copies", "copies", True)
    key = "-".join([*(e.digest for e in evaluations), truth, str(tta), str(copies)])
    return _compare(names, evaluations, truth, tta, copies, key)


def _pick_others(first: str, others: Sequence[str]) -> list[str]:
    wanted = st.query_params.get(WITH, others[0]).split(",")
    chosen = [name for name in others if name in wanted][: MOST - 1]
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


def _store_others() -> None:
    put(WITH, ",".join(st.session_state[_WIDGET]))


@st.cache_resource(max_entries=12, show_spinner="Comparing")
def _compare(
    names: tuple[str, ...],
    _evaluations: tuple[SavedEvaluation, ...],
    truth: str,
    tta: bool,
    copies: bool,
    key: str,
) -> Comparison:
    joined = join_evaluations(_evaluations, VOCABULARIES[truth], tta=tta, copies=copies)
    base, *others = joined.rows
    return Comparison(
        names,
        _evaluations,
        joined,
        VOCABULARIES[truth],
        tuple(compare(base, other) for other in others),
        tuple(mcnemar(base.right, other.right) for other in others),
        key,
    )


def pick_other(comparison: Comparison) -> int:
    """Draws which of the others a section looks at; gives its position among all, 1 or more."""
    others = comparison.names[1:]
    if len(others) == 1:
        return 1
    name = pick_one(f"Against {comparison.names[0]}", "other", list(others), others[0])
    return comparison.names.index(name)
