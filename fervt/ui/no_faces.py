"""How to get the faces of the data set, shown in their place while there are none."""

import streamlit as st

from fervt.ui.dataset_faces import draw_uploader, unreadable
from fervt.ui.text import as_text

_FER2013 = (
    "https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-"
    "challenge/data"
)
_FERPLUS = "https://github.com/microsoft/FERPlus"
_STEPS = f"""
1. Download `fer2013.csv` from [Kaggle]({_FER2013}) and `fer2013new.csv`, ten people's votes on the
   same faces, from [FER+]({_FERPLUS}).
2. Run `python -m fervt prepare fer2013.csv --ferplus fer2013new.csv --out fer2013.parquet`.
3. Choose `fer2013.parquet` here:
"""


def invite_faces(what: str) -> None:
    """Explains how to get the faces, and draws the uploader.

    Args:
        what: What would be here, as the subject of a sentence: "These faces".
    """
    with st.container(border=True):
        st.markdown(
            f":material/grid_view: **{what} appear here once you add FER2013.** Its pictures can't "
            f"be redistributed, so fervt ships without them.\n{_STEPS}"
        )
        if problem := unreadable():
            st.error(as_text(problem), icon=":material/error:")
        draw_uploader("here")
