"""What the pages say beside the GWA map of a checkpoint that draws nearly the same one for all."""

import streamlit as st

from fervt.evaluation.same_map import SameMap, find_following, find_same_map
from fervt.labels import vocabulary
from fervt.predict import Predictor
from fervt.ui.address import read
from fervt.ui.checkpoints import PARAMETER
from fervt.ui.dead_links import NOUNS
from fervt.ui.navigation import link_to


def say_same(predictor: Predictor) -> SameMap | None:
    """See `find_same_map`; looked up once for each checkpoint."""
    return _find(predictor.sha256)


def offer_following(predictor: Predictor) -> None:
    """Draws a link to this view of a checkpoint whose map follows the face; none where it does."""
    if say_same(predictor) is not None and (name := _find_following(predictor.classes.name)):
        here = {each: value for each in NOUNS if (value := read(each)) is not None}
        said = f"With {name}, GWA follows the face"
        link_to("explain", said, here | {PARAMETER: name})


@st.cache_resource(max_entries=32, show_spinner=False)
def _find(sha256: str) -> SameMap | None:
    return find_same_map(sha256)


@st.cache_resource(max_entries=8, show_spinner=False)
def _find_following(classes: str) -> str | None:
    return find_following(vocabulary(classes))
