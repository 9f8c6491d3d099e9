"""How long the Predict page takes to run, compared with a bare page with the same content.

A separate program, for `fervt bench`: `python -m fervt.ui.timing TURNS` prints the seconds of
each turn. Both run in Streamlit's test runner, each time for a new visitor; the checkpoint is
already loaded.
"""

import json
import sys
import time

from streamlit.testing.v1 import AppTest

from fervt.resources import ROOT

_TIMEOUT_S = 120


def _bare_page() -> None:
    import cv2
    import streamlit as st

    from fervt.checkpoint import find_checkpoint
    from fervt.examples import load_example
    from fervt.predict import Predictor

    predictor = st.cache_resource(Predictor)(find_checkpoint(None))
    picture = load_example("astronaut")
    (face,) = predictor.predict(picture)
    left, top, right, bottom = face.box_xyxy_px
    drawn = cv2.rectangle(picture.copy(), (left, top), (right, bottom), (255, 0, 0), 3)
    seen, read = st.columns(2)
    seen.image(drawn)
    read.bar_chart(dict(zip(face.classes, face.probabilities.tolist(), strict=True)))
    read.image([face.crop, face.model_input])


def time_pages(turns: int) -> dict[str, list[float]]:
    """Seconds of each turn, for the page and the bare one, after a warm-up of both."""

    def page() -> AppTest:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=_TIMEOUT_S)
        app.query_params["image"] = "astronaut"
        return app.switch_page("pages/predict.py")

    def bare() -> AppTest:
        return AppTest.from_function(_bare_page, default_timeout=_TIMEOUT_S)

    seconds: dict[str, list[float]] = {"page": [], "bare": []}
    for turn in range(turns + 1):
        for name, make in (("page", page), ("bare", bare)):
            app = make()
            began = time.perf_counter()
            app.run()
            spent = time.perf_counter() - began
            if app.exception:
                raise SystemExit(f"{name}: {app.exception[0].message}")
            if turn:
                seconds[name].append(spent)
    return seconds


if __name__ == "__main__":
    print(json.dumps(time_pages(int(sys.argv[1]))))
