"""What the pages say beside the GWA map of a checkpoint that draws nearly the same one for all."""

import streamlit as st

from fervt.evaluation.same_map import SameMap, find_same_map
from fervt.predict import Predictor


def say_same(predictor: Predictor) -> SameMap | None:
    """See `find_same_map`; looked up once for each checkpoint."""
    return _find(predictor.sha256)


@st.cache_resource(max_entries=32, show_spinner=False)
def _find(sha256: str) -> SameMap | None:
    return find_same_map(sha256)
