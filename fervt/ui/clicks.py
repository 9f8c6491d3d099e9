"""What was clicked in a chart."""

from typing import Any

import streamlit as st


def clicked(key: str) -> list[list[Any]]:
    """The `customdata` of each point that is selected in the chart with this key.

    Depending on the kind of chart, Plotly gives it as a list, a dictionary, or a bare value.
    """
    found = []
    for point in st.session_state[key].selection.points:
        data = point.get("customdata")
        if isinstance(data, dict):
            data = list(data.values())
        if data is not None:
            found.append(data if isinstance(data, list) else [data])
    return found
