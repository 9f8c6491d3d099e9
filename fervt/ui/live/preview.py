"""What a stream will look like, shown on an example while the visitor decides about the camera."""

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.examples import load_example
from fervt.live import LiveSettings, LiveWorker
from fervt.predict import Predictor
from fervt.ui.remembered import remember

_EXAMPLE = "astronaut"
_SIZE = (640, 480)  # of a webcam's frame


def show_preview(predictor: Predictor) -> None:
    """Draws an example's frame as the stream would show it."""
    frame = remember(predictor, _EXAMPLE, "live preview", lambda: _read_example(predictor))
    st.image(frame, width="stretch", alt="A frame with a box around the face and its expressions")
    st.caption("What you will see.")


def _read_example(predictor: Predictor) -> NDArray[np.uint8]:
    near = load_example(_EXAMPLE)[:300, 24:424]  # as near as people usually sit
    frame = cv2.resize(near, _SIZE, interpolation=cv2.INTER_LINEAR)
    worker = LiveWorker(predictor, LiveSettings(overlay="gwa"))
    return worker.process(np.asarray(frame, np.uint8), 0.0)[0]
