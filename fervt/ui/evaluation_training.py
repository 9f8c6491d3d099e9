"""How it was trained: the checkpoint's own history and settings."""

import json

import streamlit as st

from fervt.checkpoint import CheckpointInfo
from fervt.figures.evaluation_curves import training_figure
from fervt.ui.evaluation import percent, say, show_chart


def show_training(info: CheckpointInfo) -> None:
    """Draws loss, accuracy and learning rate by epoch, and the settings."""
    if not info.history:
        st.info("This checkpoint carries no training history.")
    else:
        best = info.metrics.get("epoch")
        accuracy = info.metrics.get("accuracy")
        kept = (
            f"The dotted line is the epoch that was kept, {best}, with {percent(accuracy)} on "
            f"{info.metrics.get('split', 'PublicTest')}."
            if best is not None and accuracy is not None
            else ""
        )
        say("Epoch by epoch", f"Training figures are of augmented, regularised batches. {kept}")
        show_chart(
            training_figure(info.history, best),
            "training",
            f"Loss, accuracy and learning rate over {len(info.history)} epochs",
        )
    with st.expander("Settings"):
        st.json(json.loads(info.to_json()) | {"history": f"{len(info.history)} epochs"}, expanded=1)
