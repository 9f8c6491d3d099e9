"""Compare: which of several checkpoints is better, where, and at what cost."""

from fervt.ui.compare.cost import show_cost
from fervt.ui.compare.differences import show_calibration, show_classes, show_fixed_and_broken
from fervt.ui.compare.evidence import show_atlases, show_robustness
from fervt.ui.compare.face import show_one_face
from fervt.ui.compare.headline import show_figures, show_verdict
from fervt.ui.compare.selection import pick_lineup, show_problem
from fervt.ui.dataset_faces import pick_face_book
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page
from fervt.ui.sections import draw_tabs

FIGURES = {
    "Figures": lambda comparison, faces: show_figures(comparison),
    "Classes": lambda comparison, faces: show_classes(comparison),
    "Gains and losses": show_fixed_and_broken,
    "Confidence": lambda comparison, faces: show_calibration(comparison),
    "Where they look": lambda comparison, faces: show_atlases(comparison),
    "Robustness": lambda comparison, faces: show_robustness(comparison),
}
# These need only the checkpoints, no evaluations.
CHECKPOINTS = {
    "Cost": show_cost,
    "One face": lambda lineup: show_one_face(lineup, predictor),
}

predictor = open_page("Compare", "Which checkpoint is better, where, and at what cost.")
lineup = pick_lineup(predictor)
comparison, faces = lineup.comparison, None
if comparison is not None:
    show_verdict(comparison)
    faces = pick_face_book(comparison.evaluations[0].split)
tabs = draw_tabs([*FIGURES, *CHECKPOINTS])
for tab, name in zip(tabs, [*FIGURES, *CHECKPOINTS], strict=True):
    if tab.open:
        with tab:
            if name in CHECKPOINTS:
                CHECKPOINTS[name](lineup)
            elif comparison is not None:
                FIGURES[name](comparison, faces)
            else:
                show_problem(lineup)
show_notice()
