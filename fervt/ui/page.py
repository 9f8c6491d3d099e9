"""What every page begins with."""

import streamlit as st

from fervt.predict import Predictor
from fervt.ui.checkpoints import pick_checkpoint
from fervt.ui.navigation import require_entry


def open_page(title: str, caption: str) -> Predictor:
    """Draws a page's title and the shared checkpoint picker; gives the chosen checkpoint.

    Raises:
        CheckpointError: There is no checkpoint to work with.
    """
    require_entry()
    st.title(title, anchor=False)
    st.caption(caption)
    return pick_checkpoint()
