"""Glossary: the field's terms, each with a picture, linked from where they are used."""

import streamlit as st

from fervt.ui.address import wanted
from fervt.ui.glossary import TERMS
from fervt.ui.glossary_pictures import picture_of
from fervt.ui.home.hero import explain_example
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page

predictor = open_page("Glossary", "The terms on these pages, each with a picture.")
shown = explain_example(predictor)
asked = wanted("term", list(TERMS), "", "all terms")
for name in sorted(TERMS, key=lambda one: (one != asked, TERMS[one].title)):
    term = TERMS[name]
    with st.container(border=True, key=f"term_{name}"):
        picture, words = st.columns([1, 4], gap="medium", vertical_alignment="center")
        drawn = picture_of(name, shown)
        if drawn is not None:
            picture.image(drawn, width="stretch", alt=f"{term.title}: {term.short}")
        with words:
            st.header(term.title, anchor=name)
            st.markdown(f"**{term.short}** {term.more}")
show_notice()
