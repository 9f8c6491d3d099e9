"""What the pages say beside the GWA map of a checkpoint that draws nearly the same one for all."""

import streamlit as st

from fervt.evaluation.same_map import SameMap, find_following, find_same_map
from fervt.labels import vocabulary
from fervt.predict import Predictor
from fervt.ui.address import put
from fervt.ui.checkpoints import PARAMETER


def say_same(predictor: Predictor) -> SameMap | None:
    """See `find_same_map`; looked up once for each checkpoint."""
    return _find(predictor.sha256)


def offer_following(predictor: Predictor) -> None:
    """Draws a button: this view with a checkpoint whose map follows; none where it does already."""
    if say_same(predictor) is not None and (name := _find_following(predictor.classes.name)):
        said = f"With {name}, GWA follows the face"
        st.button(said, icon=":material/visibility:", on_click=put, args=(PARAMETER, name))


@st.cache_resource(max_entries=32, show_spinner=False)
def _find(sha256: str) -> SameMap | None:
    return find_same_map(sha256)


@st.cache_resource(max_entries=8, show_spinner=False)
def _find_following(classes: str) -> str | None:
    return find_following(vocabulary(classes))
