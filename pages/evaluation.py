"""Evaluation: how good a checkpoint is, where it fails, and how surely."""

import streamlit as st

from fervt.saved import saved_folders
from fervt.ui.checkpoints import is_own
from fervt.ui.choices import pick_one
from fervt.ui.evaluation import load_evaluation, pick_view
from fervt.ui.evaluation_classes import show_classes
from fervt.ui.evaluation_confidence import show_confidence
from fervt.ui.evaluation_faces import pick_faces
from fervt.ui.evaluation_headline import show_headline, show_standing
from fervt.ui.evaluation_map import show_map
from fervt.ui.evaluation_mistakes import show_mistakes
from fervt.ui.evaluation_people import show_people
from fervt.ui.evaluation_report import show_report
from fervt.ui.evaluation_training import show_training
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page

SECTIONS = {
    "Mistakes": show_mistakes,
    "Standing": show_standing,
    "Classes": show_classes,
    "Confidence": show_confidence,
    "People": show_people,
    "Map": show_map,
    "Training": lambda view: show_training(view.info),
    "Report": show_report,
}

predictor = open_page("Evaluation", "How good it is, where it fails, and how surely.")
folders = {} if is_own(predictor) else saved_folders(predictor.name)
if not folders:
    st.info(f"No evaluation of {predictor.name} is saved.", icon=":material/analytics:")
    show_training(predictor.info)
else:
    split = pick_one("Split", "split", list(folders), next(iter(folders)))
    evaluation = load_evaluation(folders[split])
    view = pick_view(evaluation, predictor.info, pick_faces(split))
    if not len(view.rows):
        st.info(f"No face of {split} has such a label.")
    else:
        show_headline(view)
        tabs = st.tabs(list(SECTIONS), key="view", bind="query-params")
        for tab, show in zip(tabs, SECTIONS.values(), strict=True):
            if tab.open:
                with tab:
                    show(view)
show_notice()
