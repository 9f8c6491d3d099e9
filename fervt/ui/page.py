"""What every page begins with."""

import atexit
import gc

import streamlit as st

from fervt.predict import Predictor
from fervt.ui.checkpoints import pick_checkpoint
from fervt.ui.closed_tabs import end_closed_tabs
from fervt.ui.dead_links import make_place
from fervt.ui.navigation import go_where_wanted, require_entry
from fervt.ui.sharing import show_copy_link


def open_page(title: str, caption: str) -> Predictor:
    """Draws a page's title and the shared checkpoint picker; returns the chosen checkpoint.

    Raises:
        CheckpointError: There is no checkpoint to work with.
    """
    require_entry()
    go_where_wanted()
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        with st.container(horizontal=True, vertical_alignment="bottom", width="stretch"):
            st.title(title, anchor=False, width="content")
            st.caption(caption, width="content")
        show_copy_link()
    make_place()
    predictor = pick_checkpoint()
    end_closed_tabs()
    _spare_libraries(title)
    return predictor


@st.cache_resource(show_spinner=False)
def _spare_libraries(title: str) -> None:
    """Keeps Streamlit's garbage collection short; once per server and page.

    After each run, and so three times a second beside a stream, Streamlit scans all objects
    of the process, which blocks all other threads for half a second. Nearly all of them
    belong to libraries and stay for good: those that exist now are left out from here on.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or libraries complain about leftovers at exit
