"""What GWA and the graph contribute: does attention follow the face, and does it matter?"""

import pandas as pd
import streamlit as st

from fervt.evaluation.parts_report import (
    CHANGES_HEADER,
    changes_table,
    describe_following,
    describe_wrong_map,
)
from fervt.predict import Predictor
from fervt.ui.charts import say
from fervt.ui.evaluation.measured import parts_of
from fervt.ui.evaluation.selection import EvaluationView


def show_parts(view: EvaluationView, predictor: Predictor) -> None:
    """Draws how far attention follows the face, and what each change of a part costs."""
    report = parts_of(view, predictor)
    if report is None:
        return
    say(
        "Does its attention follow the face?",
        "The window on the face is moved or zoomed, and GWA's new map compared with the old one: "
        "moved along with the face (follows), and left in place (stays). 1 is the same map, 0 no "
        "relation.",
    )
    st.markdown(describe_following(report))
    if report.following:
        lines = [
            {
                "Window": item.change,
                "Follows the face": f"{item.follows:z.2f}",
                "Stays in place": f"{item.stays:z.2f}",
            }
            for item in report.following
        ]
        st.table(pd.DataFrame(lines), border="horizontal", hide_index=True)
    if not report.changes:
        return
    say(
        "What does each part contribute?",
        f"Accuracy with one change, against {report.accuracy:.1%} without, on the same "
        f"{report.n:,} faces; intervals are from the paired bootstrap.",
    )
    table = pd.DataFrame(changes_table(report), columns=list(CHANGES_HEADER))
    st.table(table, border="horizontal", hide_index=True)
    if disturbed := describe_wrong_map(report):
        st.markdown(disturbed)
