"""The entry script: runs the requested page and shows its errors."""

import streamlit as st

from fervt.errors import FervtError
from fervt.ui.navigation import enter
from fervt.ui.text import as_text

page = enter()
with st.container(horizontal_alignment="center"), st.container(width=1200):
    try:
        page.run()
    except FervtError as error:
        st.error(as_text(error), icon=":material/error:")
