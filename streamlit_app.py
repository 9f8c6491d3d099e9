"""The entry: which pages there are, and how anything that goes wrong is shown."""

import streamlit as st

from fervt.errors import FervtError
from fervt.ui.navigation import draw_navigation, existing_pages

entries = existing_pages()
pages = [
    st.Page(entry.path, title=entry.title, icon=entry.icon, default=entry.name == "home")
    for entry in entries
]
page = st.navigation(pages, position="hidden")
st.set_page_config(f"{page.title} · fervt", page_icon="🙂", layout="wide")
draw_navigation()
try:
    page.run()
except FervtError as error:
    st.error(str(error), icon=":material/error:")
