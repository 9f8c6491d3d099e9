"""What was clicked in a chart."""

from typing import Any

import streamlit as st


def clicked(key: str) -> list[list[Any]]:
    """The `customdata` of each point that is selected in the chart with this key.

    Plotly gives it as a list, as a dictionary, or as a bare value, by the kind of the chart.
    """
    found = []
    for point in st.session_state[key].selection.points:
        data = point.get("customdata")
        if isinstance(data, dict):
            data = list(data.values())
        if data is not None:
            found.append(data if isinstance(data, list) else [data])
    return found
