"""Evaluation: how good a checkpoint is, where it fails, and how sure it is."""

import streamlit as st

from fervt.evaluation.store import EvaluationStore
from fervt.ui.checkpoints import is_own
from fervt.ui.choices import pick_one
from fervt.ui.dataset_faces import FaceBook, pick_face_book
from fervt.ui.evaluation.classes import show_classes
from fervt.ui.evaluation.confidence import show_confidence
from fervt.ui.evaluation.downloads import show_report
from fervt.ui.evaluation.embedding_map import show_map
from fervt.ui.evaluation.headline import show_headline, show_standing
from fervt.ui.evaluation.holds_up import show_holds_up
from fervt.ui.evaluation.mistakes import show_mistakes
from fervt.ui.evaluation.parts import show_parts
from fervt.ui.evaluation.people import show_people
from fervt.ui.evaluation.present import is_presenting, present
from fervt.ui.evaluation.selection import EvaluationView, load_evaluation, pick_view
from fervt.ui.evaluation.slicing import show_slices
from fervt.ui.evaluation.training import show_training
from fervt.ui.evaluation.where_it_looks import show_where_it_looks
from fervt.ui.notices import show_notice
from fervt.ui.own_evaluation import run_evaluation
from fervt.ui.page import open_page
from fervt.ui.sections import draw_tabs

SECTIONS = {
    "Mistakes": show_mistakes,
    "Benchmarks": lambda view: show_standing(view, predictor),
    "Classes": show_classes,
    "Confidence": show_confidence,
    "People": show_people,
    "Map": lambda view: show_map(view, predictor),
    "Where it looks": lambda view: show_where_it_looks(view, predictor),
    "Slices": lambda view: show_slices(view, predictor),
    "Robustness": lambda view: show_holds_up(view, predictor),
    "Parts": lambda view: show_parts(view, predictor),
    "Training": lambda view: show_training(view.info),
    "Report": show_report,
}
SOURCES = {"saved": "Saved evaluations", "data": "Evaluate data"}

predictor = open_page("Evaluation", "How good it is, where it fails, and how sure it is.")


def pick_saved() -> EvaluationView | None:
    """Draws the choice of a saved evaluation; returns its view, None if there is none."""
    folders = {} if is_own(predictor) else EvaluationStore().folders(predictor.name)
    if not folders:
        st.info(
            f"No evaluation of {predictor.name} is saved. You can run one here, under "
            f"“{SOURCES['data']}”.",
            icon=":material/analytics:",
        )
        show_training(predictor.info)
        return None
    with controls:
        split = pick_one("Split", "split", list(folders), next(iter(folders)))
    evaluation = load_evaluation(folders[split])
    return pick_view(evaluation, predictor.info, pick_face_book(split), controls)


def pick_evaluated() -> EvaluationView | None:
    """Draws the evaluation of other data; returns its view once it is done."""
    found = run_evaluation(predictor)
    if found is None:
        return None
    if found.faces is None:
        faces = pick_face_book(found.evaluation.split)
    else:
        faces = FaceBook(found.faces, found.names)
    return pick_view(found.evaluation, found.info, faces, controls)


controls = st.container(horizontal=True, vertical_alignment="bottom")
with controls:
    source = pick_one("Figures", "source", SOURCES, "saved")
view = pick_saved() if source == "saved" else pick_evaluated()
if view is not None and not len(view.rows):
    st.info(f"No face of {view.evaluation.split} has such a label.")
elif view is not None and is_presenting():
    present(view)
elif view is not None:
    show_headline(view)
    tabs = draw_tabs(list(SECTIONS))
    for tab, show in zip(tabs, SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                show(view)
show_notice()
