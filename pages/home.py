"""Home: what this does, shown on a real face; where to try your own; how the model works."""

from fervt.ui.checkpoints import is_own
from fervt.ui.home.hero import explain_example, show_hero, show_other_faces
from fervt.ui.home.stages import show_stages
from fervt.ui.notices import show_notice
from fervt.ui.own_figures import show_own_figures
from fervt.ui.page import open_page
from fervt.ui.status import find_metrics, say_proof, show_protocol

predictor = open_page("fervt", "See which expression a neural network reads in a face, and why.")
shown, metrics = explain_example(predictor), find_metrics(predictor)
show_hero(predictor, shown, say_proof(metrics))
if is_own(predictor):
    show_own_figures(predictor)
else:
    show_protocol(predictor, metrics)
show_other_faces()
show_stages(predictor, shown)
show_notice()
