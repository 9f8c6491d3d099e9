"""Model card: data, training, limits and intended use, with the checkpoint's own figures."""

import streamlit as st

from fervt.reports.card import CARD, render_card, section
from fervt.ui.checkpoints import is_own, shipped_path
from fervt.ui.downloads import offer_file
from fervt.ui.evaluation.training import show_training
from fervt.ui.notices import show_notice
from fervt.ui.own_checkpoint import list_facts
from fervt.ui.own_figures import show_own_figures
from fervt.ui.page import open_page
from fervt.ui.text import as_text

predictor = open_page("Model card", "What a checkpoint is, how good it is, and what it is not for.")
if is_own(predictor):
    info = predictor.info
    about = f"Your own checkpoint, as its file describes it. {' '.join(info.description.split())}"
    st.markdown(f"# {as_text(predictor.name)}\n\n{as_text(about)}\n\n{list_facts(predictor)}")
    st.markdown("## How good it is")
    show_own_figures(predictor)
    st.markdown("## Training")
    show_training(info)
    st.markdown(f"## Not for\n\n{section(CARD.read_text(encoding='utf-8'), 'Not for')}")
else:
    card = render_card(predictor.name, shipped_path(predictor.name))
    st.markdown(card)
    offer_file("Card (.md)", lambda: card, f"{predictor.name}.md", "text/markdown")
show_notice()
