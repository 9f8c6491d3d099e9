"""How it was trained: the checkpoint's own history and settings."""

import json

import streamlit as st

from fervt.checkpoint import CheckpointInfo
from fervt.figures.evaluation_curves import training_figures
from fervt.figures.in_words import say_training
from fervt.ui.charts import say, show_chart
from fervt.ui.evaluation.selection import percent


def show_training(info: CheckpointInfo) -> None:
    """Draws loss, accuracy and learning rate by epoch, and the settings."""
    if not info.history:
        st.info("This checkpoint has no training history.")
    else:
        best = info.metrics.get("epoch")
        accuracy = info.metrics.get("accuracy")
        kept = (
            f"The dotted line is the epoch that was kept, {best}, with {percent(accuracy)} on "
            f"{info.metrics.get('split', 'PublicTest')}."
            if best is not None and accuracy is not None
            else ""
        )
        say("Epoch by epoch", f"Training figures are of augmented, regularized batches. {kept}")
        figures = training_figures(info.history, best)
        for column, (title, figure) in zip(st.columns(len(figures)), figures.items(), strict=True):
            with column:
                show_chart(figure, f"training_{title}", say_training(title, figure))
    with st.expander("Settings"):
        st.json(json.loads(info.to_json()) | {"history": f"{len(info.history)} epochs"}, expanded=1)
