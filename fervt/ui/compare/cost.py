"""The cost of accuracy: latency, compute and size of each checkpoint."""

import numpy as np
import pandas as pd
import streamlit as st

from fervt.data.transforms import FACE_SIZE
from fervt.figures.evaluation_bars import cost_figure
from fervt.predict import Predictor
from fervt.ui.charts import say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.compare.selection import Comparison
from fervt.ui.evaluation.selection import percent

_ROUNDS = 5
_UNITS = {"ms": "ms a face", "GMAC": "GMAC a face", "MB": "MB of file"}


def show_cost(comparison: Comparison) -> None:
    """Draws accuracy against one cost, and all costs as a table."""
    say(
        "What accuracy costs",
        f"Time is the fastest of {_ROUNDS} faces, one at a time, on this machine, when it was "
        "first asked for.",
    )
    accuracies = [rows.scores.accuracy for rows in comparison.rows]
    predictors = {name: comparison.load(name) for name in comparison.names}
    costs = {name: _cost(p, p.sha256) for name, p in predictors.items()}
    unit = pick_one("Cost", "cost", _UNITS, "ms")
    values = [costs[name][unit] for name in comparison.names]
    figure = cost_figure(comparison.names, values, accuracies, _UNITS[unit])
    show_chart(figure, "cost", f"Accuracy against {_UNITS[unit]}")
    lines = [
        {
            "Checkpoint": name,
            "Accuracy": percent(accuracy),
            "ms": f"{costs[name]['ms']:.1f}",
            "GMAC": f"{costs[name]['GMAC']:.2f}",
            "MB": f"{costs[name]['MB']:.1f}",
            "Parameters": f"{costs[name]['parameters'] / 1e6:.2f} M",
        }
        for name, accuracy in zip(comparison.names, accuracies, strict=True)
    ]
    st.table(pd.DataFrame(lines), border="horizontal", hide_index=True)


@st.cache_data(max_entries=16, show_spinner="Measuring")
def _cost(_predictor: Predictor, digest: str) -> dict[str, float]:
    face = np.zeros((1, FACE_SIZE, FACE_SIZE), np.uint8)
    return {
        "ms": min(_predictor.classify(face)[0].latency_ms for _ in range(_ROUNDS)),
        "GMAC": _predictor.count_gmac(),
        "MB": _predictor.file_bytes / 1e6,
        "parameters": _predictor.count_parameters(),
    }
