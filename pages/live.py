"""Live: expressions on the webcam or in a video, with the model's evidence on the face."""

import streamlit as st

from fervt.ui.live.film import show_film
from fervt.ui.live.panel import show_panel
from fervt.ui.live.recorder import show_recorder
from fervt.ui.live.stream import (
    ask_consent,
    forget_readings,
    pick_settings,
    pick_source,
    show_stream,
)
from fervt.ui.live.timeline import show_timeline
from fervt.ui.live.trouble import offer_snapshot, show_camera_trouble
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page

predictor = open_page("Live", "Expressions on your webcam or in a video, frame by frame.")
if pick_source() == "video":
    show_film(predictor)
elif ask_consent(predictor):
    show_camera_trouble()
    stream_column, panel_column = st.columns([3, 2], gap="large")
    with stream_column:
        settings = pick_settings(predictor)
        reader, running = show_stream(predictor, settings)
        show_recorder(reader.recorder, running)
        offer_snapshot()
    with panel_column:
        show_panel(reader.worker, running)
    show_timeline(reader.worker, running, forget_readings)
show_notice()
