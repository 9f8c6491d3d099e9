"""Live: expressions on the webcam, with the model's evidence on the face."""

import streamlit as st

from fervt.ui.live import ask_consent, pick_settings, show_stream
from fervt.ui.live_panel import show_panel
from fervt.ui.live_timeline import show_timeline
from fervt.ui.live_trouble import offer_snapshot, show_camera_trouble
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page

predictor = open_page("Live", "Expressions on your webcam, frame by frame.")
if ask_consent():
    show_camera_trouble()
    stream_column, panel_column = st.columns([3, 2], gap="large")
    with stream_column:
        settings = pick_settings(predictor)
        worker, running = show_stream(predictor, settings)
        offer_snapshot()
    with panel_column:
        show_panel(worker, running)
    show_timeline(worker, running)
show_notice()
