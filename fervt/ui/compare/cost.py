"""The cost of accuracy: latency, compute and size of each checkpoint."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from fervt.data.transforms import FACE_SIZE
from fervt.figures.evaluation_bars import cost_figure
from fervt.predict import Predictor
from fervt.ui.charts import say, show_chart
from fervt.ui.choices import pick_one
from fervt.ui.compare.selection import Lineup
from fervt.ui.evaluation.selection import percent
from fervt.ui.text import as_text

_ROUNDS = 15
_UNITS = {"ms": "ms a face", "GMAC": "GMAC a face", "MB": "MB of file"}
_MEASURED = "cost_measured"


@dataclass(frozen=True)
class _Cost:
    """What one face costs: milliseconds with their quartiles, arithmetic, and the file's size."""

    ms: float
    quartiles_ms: tuple[float, float]
    gmac: float
    megabytes: float
    parameters: int

    def of(self, unit: str) -> float:
        return {"ms": self.ms, "GMAC": self.gmac, "MB": self.megabytes}[unit]


def show_cost(lineup: Lineup) -> None:
    """Draws accuracy against one cost, and all costs as a table."""
    say(
        "What accuracy costs",
        f"Time is the median of {_ROUNDS} single faces on this machine; the checkpoints take "
        "turns. The range is the middle half.",
    )
    comparison, names = lineup.comparison, lineup.names
    accuracies = [rows.scores.accuracy for rows in comparison.rows] if comparison else []
    predictors = [lineup.load(name) for name in names]
    digests = tuple(predictor.sha256 for predictor in predictors)
    costs = _measure(predictors, digests, st.session_state.get(_MEASURED, 0))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = pick_one("Cost", "cost", _UNITS, "ms") if accuracies else "ms"
        st.button("Measure again", icon=":material/refresh:", on_click=_measure_again)
    if accuracies:
        figure = cost_figure(
            names,
            [cost.of(unit) for cost in costs],
            accuracies,
            _UNITS[unit],
            [cost.quartiles_ms for cost in costs] if unit == "ms" else None,
        )
        show_chart(figure, "cost", _describe(names, costs, accuracies, unit))
    else:
        st.info(as_text(lineup.problem), icon=":material/join:")
    lines = [
        {
            "Checkpoint": name,
            **({"Accuracy": percent(accuracies[at])} if accuracies else {}),
            "ms": f"{cost.ms:.1f} ({cost.quartiles_ms[0]:.1f} to {cost.quartiles_ms[1]:.1f})",
            "Engine": predictor.engine.name,
            "GMAC": f"{cost.gmac:.2f}",
            "MB": f"{cost.megabytes:.1f}",
            "Parameters": f"{cost.parameters / 1e6:.2f} M",
        }
        for at, (name, cost, predictor) in enumerate(zip(names, costs, predictors, strict=True))
    ]
    st.table(pd.DataFrame(lines), border="horizontal", hide_index=True)


def _describe(
    names: Sequence[str], costs: Sequence[_Cost], accuracies: Sequence[float], unit: str
) -> str:
    each = zip(names, costs, accuracies, strict=True)
    return f"Accuracy against {_UNITS[unit]}: " + "; ".join(
        f"{name} {percent(accuracy)} at {cost.of(unit):.2g}" for name, cost, accuracy in each
    )


def _measure_again() -> None:
    st.session_state[_MEASURED] = time.time_ns()  # which nobody else measured at


@st.cache_data(max_entries=16, show_spinner="Measuring", ttl="1h")
def _measure(
    _predictors: Sequence[Predictor], digests: tuple[str, ...], asked_ns: int
) -> list[_Cost]:  # the digests and the time are the key
    face = np.zeros((1, FACE_SIZE, FACE_SIZE), np.uint8)
    for predictor in _predictors:
        predictor.warm_up()
    turns = np.array(
        [[p.classify(face)[0].latency_ms for p in _predictors] for _ in range(_ROUNDS)]
    )
    low, middle, high = np.quantile(turns, (0.25, 0.5, 0.75), axis=0)
    return [
        _Cost(
            float(middle[i]),
            (float(low[i]), float(high[i])),
            predictor.count_gmac(),
            predictor.file_bytes / 1e6,
            predictor.count_parameters(),
        )
        for i, predictor in enumerate(_predictors)
    ]
