"""Model card: data, training, limits and intended use, with the checkpoint's own figures."""

import streamlit as st

from fervt.reports.card import render_card
from fervt.ui.checkpoints import is_own, shipped_path
from fervt.ui.downloads import offer_file
from fervt.ui.evaluation.training import show_training
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page

predictor = open_page("Model card", "What a checkpoint is, how good it is, and what it is not for.")
if is_own(predictor):
    st.info("This is your own checkpoint. Everything below comes from the file itself.")
    show_training(predictor.info)
else:
    card = render_card(predictor.name, shipped_path(predictor.name))
    st.markdown(card)
    offer_file("Card (.md)", lambda: card, f"{predictor.name}.md", "text/markdown")
show_notice()
