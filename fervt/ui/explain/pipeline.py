"""The Explain page's pipeline: what happens to the face, stage by stage."""

import numpy as np
import streamlit as st

from fervt.explain import cell_attention, edge_attention
from fervt.explain.pyramid import LEVELS, pyramid
from fervt.figures.grid import DIVERGING, SEQUENTIAL, Values
from fervt.figures.in_words import say_extremes, say_map
from fervt.figures.overlay import overlay_figure
from fervt.figures.stages import HEIGHT_PX, raster_figure, token_figure
from fervt.ui.address import OFF_OR_ON, bound
from fervt.ui.charts import say, show_chart
from fervt.ui.explain.selection import ExplainedFace, show_clickable, show_probability_bars

_NO_GWA = "This checkpoint was built without grid-wise attention (GWA)."
_DEVIATIONS = 3.0


def show_pipeline(view: ExplainedFace) -> None:
    """Draws the stages from left to right, each with its own scale."""
    trace = view.explanation.trace
    stretch = st.toggle(
        "Stretch colors",
        key=bound("stretch", *OFF_OR_ON),
        bind="query-params",
        help="Off, every color bar keeps a fixed range, so that even values look even. On, "
        "colors fill the range of the values, which shows small differences and exaggerates them.",
    )
    with st.grid(min_column_width=180):
        with st.container(border=True):
            side = view.prediction.crop.shape[0]
            say("1 · Face", f"As cut out, {side} × {side} pixels.")
            st.image(view.prediction.crop, width="stretch", alt="The face as it was cut out")
        with st.container(border=True):
            size = trace.model_input.shape[0]
            say("2 · Input", f"What the model gets, {size} × {size}.")
            figure = raster_figure(
                trace.model_input, unit="gray", range_=(0, 1), colors="Gray", stretch=stretch
            )
            said = f"The model's input, {size} × {size} gray values"
            show_chart(figure, "stage_input", said)
        with st.container(border=True):
            say("3 · GWA", "Grid-wise attention: the weight of each cell; the average is 1.", "gwa")
            if trace.gwa_weights is None:
                st.info(_NO_GWA)
            else:
                _show_cells(view, trace.gwa_weights, "stage_gwa", "GWA", stretch)
        with st.container(border=True):
            zero = "" if stretch else " 0 is white."
            say("4 · Weighted input", f"Weights × normalized input.{zero}")
            if trace.gwa_map is None:
                st.info(_NO_GWA)
            else:
                _show_channels(trace.gwa_map, "stage_map", "The weighted input", stretch)
        with st.container(border=True):
            say("5 · Fused features", "Input and weighted input merged; mean over channels.")
            _show_channels(trace.fused_features, "stage_fused", "The fused features", stretch)
        with st.container(border=True):
            say(
                "6 · Graph attention",
                "How much each cell passes to its neighbors and itself; 1 is average.",
                "gat",
            )
            if trace.gat_attention is None or trace.edge_index is None:
                st.info("This checkpoint was built without the graph.")
            else:
                received = cell_attention(edge_attention(trace.gat_attention), trace.edge_index)
                _show_cells(view, received, "stage_graph", "Graph attention", stretch)
        levels = pyramid(view.predictor, trace.fused_features)
        for number, (level, values) in enumerate(zip(LEVELS, levels, strict=True), 7):
            with st.container(border=True):
                height, width = values.shape
                say(f"{number} · {level}", f"Mean activity of the backbone, {height} × {width}.")
                figure = raster_figure(
                    values,
                    unit="activity",
                    range_=(0, float(values.max()) or 1.0),
                    colors=SEQUENTIAL,
                    stretch=stretch,
                )
                said = say_map(f"Activity of {level}", values, "{:.2f}".format)
                show_chart(figure, f"stage_{level}", said)
        with st.container(border=True):
            say("10 · Tokens", "What the transformer reads: one row per token.")
            figure = token_figure(trace.tokens, trace.token_names)
            sizes = np.linalg.norm(trace.tokens, axis=1)
            said = say_extremes("Norm of the tokens", trace.token_names, sizes, "{:.1f}".format)
            show_chart(figure, "stage_tokens", said)
        with st.container(border=True):
            say("11 · Prediction", "Calibrated probabilities.")
            show_probability_bars(view.prediction, "stage_prediction", HEIGHT_PX)


def _show_cells(view: ExplainedFace, values: Values, name: str, alt: str, stretch: bool) -> None:
    figure = overlay_figure(
        view.seen,
        values,
        unit="× average",
        stretch=stretch,
        cell=view.cell,
        height_px=HEIGHT_PX,
    )
    show_clickable(figure, name, view.cell, say_map(alt, values, "{:.2f} × average".format))


def _show_channels(channels: Values, key: str, alt: str, stretch: bool) -> None:
    values = np.asarray(channels).mean(axis=0)
    figure = raster_figure(
        values,
        unit="deviations",
        range_=(-_DEVIATIONS, _DEVIATIONS),
        colors=DIVERGING if not stretch else SEQUENTIAL,
        stretch=stretch,
    )
    show_chart(figure, key, say_map(alt, values, "{:.2f} deviations".format))
