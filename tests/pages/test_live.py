"""The Live page without a browser: a stand-in for the camera's component feeds the worker."""

import csv
import gc
import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
import tiny
from film import astronaut_frames

from fervt.labels import FER2013, NOTICE
from fervt.live import FaceReading, FrameReading, LiveStats
from fervt.reports.session import summary_html
from fervt.ui.live.stream import rtc_configuration
from fervt.ui.live.timeline import readings_as_csv, surest
from fervt.ui.live.trouble import TROUBLES


class Camera:
    """What stands in for the component: plays some frames at each run of the page."""

    def __init__(self) -> None:
        self.running, self.frames, self.settings = True, 3, None
        self.draw = astronaut_frames

    def __call__(self, reader) -> bool:
        if self.running:
            for index, frame in enumerate(self.draw(320, 240, self.frames)):
                reader.worker.process(frame, time_s=reader.worker.stats().frames + index / 10)
        self.settings = reader.worker.settings
        return self.running


@pytest.fixture
def camera(monkeypatch) -> Camera:
    camera = Camera()
    monkeypatch.setattr("fervt.ui.live.stream.stream_camera", camera)
    return camera


def agree(app):
    app.button[0].click().run()
    assert not app.exception
    return app


def texts(app) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.subheader]
    return " ".join([part.value for part in parts] + [html.proto.body for html in app.get("html")])


def test_nothing_starts_before_the_visitor_agrees(open_page, camera):
    app = open_page("live")
    assert "No frame is stored" in texts(app) and NOTICE in texts(app)
    assert camera.settings is None and not app.slider
    agree(app)
    assert camera.settings is not None
    assert "No frame is stored" not in texts(app)


def test_the_libraries_are_spared_the_garbage_collection_after_each_run(open_page, camera):
    open_page("live")
    assert gc.get_freeze_count() > 100_000


def test_the_panel_shows_who_is_there_and_how_fast_it_runs(open_page, camera):
    app = agree(open_page("live"))
    assert "Face 1:" in texts(app) and "Latency" in texts(app)
    assert [m.label for m in app.metric] == ["Frames/s in", "Frames/s read", "Dropped/s"]
    assert float(app.metric[1].value) > 0
    assert texts(app).count("<span class='value'>") == 7  # a bar a class
    assert len(app.get("plotly_chart")) == 1


def test_the_address_holds_the_viewers_choices(open_page, camera):
    agree(open_page("live", overlay="graph", smoothing="0", mirror="0"))
    assert camera.settings.overlay == "graph"
    assert camera.settings.half_life_s == 0 and camera.settings.mirror is False


def test_after_stop_the_timeline_can_be_looked_at_and_saved(open_page, camera):
    app = agree(open_page("live"))
    assert not app.get("download_button")
    camera.running = False
    app.run()
    assert not app.exception
    assert re.search(r"Stopped\. The timeline below keeps \d+ s with 1 person\.", texts(app))
    assert [b.proto.label for b in app.get("download_button")] == [
        "Timeline (CSV)",
        "Summary (HTML)",
    ]
    moment = next(s for s in app.slider if s.label == "Moment")
    moment.set_value(moment.min).run()
    assert f"At {moment.min:.1f} s, face 1:" in texts(app)


def test_after_stop_the_panel_says_that_nobody_was_there(open_page, camera):
    camera.draw = lambda width, height, count: [np.zeros((height, width, 3), np.uint8)] * count
    app = agree(open_page("live"))
    camera.running = False
    app.run()
    assert re.search(r"Stopped\. No face was found in \d+ s of video\.", texts(app))
    assert "No face was found." in texts(app) and "The timeline below" not in texts(app)


def test_after_stop_the_panel_says_that_no_frame_could_be_read(open_page, camera, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("fervt.live.worker.LiveWorker._read", fail)
    app = agree(open_page("live"))
    camera.running = False
    app.run()
    assert "Stopped. No frame could be read." in texts(app)


def test_the_moment_starts_where_the_model_was_surest():
    def moment(time_s: float, *shares: float) -> FrameReading:
        faces = tuple(
            FaceReading(
                1 + i, (0, 0, 9, 9), 0.0, FER2013.classes, np.array([s] + [(1 - s) / 6] * 6)
            )
            for i, s in enumerate(shares)
        )
        return FrameReading(0, time_s, faces, 9.0)

    readings = [moment(0.0), moment(1.0, 0.4, 0.9), moment(2.0, 0.7)]
    assert surest(readings).time_s == 1.0
    assert surest([moment(0.0), moment(1.0)]).time_s == 0.0


def test_after_stop_the_timeline_can_be_forgotten(open_page, camera):
    app = agree(open_page("live"))
    assert "Forget the timeline" not in [b.label for b in app.button]
    camera.running = False
    app.run()
    next(b for b in app.button if b.label == "Forget the timeline").click().run()
    assert not app.exception
    assert not app.get("plotly_chart") and not app.get("download_button")
    assert "Press Start" in texts(app)


def test_a_pause_stops_the_timeline_but_not_the_stream(open_page, camera):
    app = agree(open_page("live"))
    next(t for t in app.toggle if t.label == "Pause").set_value(True).run()
    assert [s.label for s in app.slider] == ["Moment"]
    longest = next(s for s in app.slider if s.label == "Moment").max
    app.run()
    assert next(s for s in app.slider if s.label == "Moment").max == longest
    assert app.metric[1].value != "–"


def test_a_pause_does_not_outlive_the_checkpoint(open_page, camera, checkpoints, tmp_path):
    app = agree(open_page("live", checkpoint="alpha"))
    next(t for t in app.toggle if t.label == "Pause").set_value(True).run()
    config = replace(tiny.CONFIG, vocabulary="ferplus")
    eight = tiny.save_tiny(tmp_path / "eight.safetensors", config=config)
    checkpoints["eight"] = eight
    try:
        app.query_params["checkpoint"] = "eight"
        app.run()
    finally:
        del checkpoints["eight"]
    assert not app.exception
    assert app.get("plotly_chart")


def test_a_snapshot_becomes_an_image_of_the_session(open_page, camera):
    app = agree(open_page("live"))
    next(b for b in app.button if b.label == "Explain this moment").click().run()
    assert not app.exception
    (picture,) = app.session_state["own_pictures"].values()
    assert picture.name == "Live snapshot.png"
    assert (picture.width_px, picture.height_px) == (320, 240)
    mirrored = list(astronaut_frames(320, 240, 3))[-1][:, ::-1]
    np.testing.assert_array_equal(picture.rgb, mirrored)
    assert app.title[0].value == "Explain"


def test_a_stream_without_frames_names_the_route_and_its_variables(open_page, camera, monkeypatch):
    camera.frames = 0
    monkeypatch.setattr("fervt.ui.live.panel.seconds_since_start", lambda: 60.0)
    app = agree(open_page("live"))
    assert "TURN" in app.warning[0].value and "TWILIO_AUTH_TOKEN" in app.warning[0].value


def test_every_reason_for_no_picture_is_on_the_page_and_hidden(open_page, camera):
    app = agree(open_page("live"))
    body = next(h.proto.body for h in app.get("html") if "data-camera-trouble" in h.proto.body)
    assert body.count(" hidden>") == len(TROUBLES)
    assert "HTTPS" in body and "No camera was found" in body


def test_a_turn_service_in_the_environment_is_not_overridden(monkeypatch):
    for name in ("CLOUDFLARE_TURN_KEY_ID", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert rtc_configuration() == {"iceServers": []}
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "one")
    assert rtc_configuration() == {"iceServers": []}  # half a pair is none
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "two")
    assert rtc_configuration() is None


def test_the_summary_says_how_often_each_expression_led():
    shares = np.full(7, 0.05, np.float32)
    readings = []
    for index in range(10):
        values = shares.copy()
        values[3 if index < 8 else 5] = 0.7
        face = FaceReading(2, (1, 2, 30, 40), 0.0, FER2013.classes, values)
        readings.append(FrameReading(index, index / 5, (face,), 9.0))
    stats = LiveStats(20, 18, 2, 31.0, 55.0, 10, 3, 1)
    page = summary_html(readings, FER2013, "fervt-<b>", stats, "webcam")
    assert "<td>Happy</td><td>80%</td><td>57%</td>" in page
    assert "3 frames dropped, 1 could not be read" in page and NOTICE in page
    assert "<h2>Face 2</h2>" in page and "fervt-&lt;b&gt;" in page
    assert not re.search(r"<script[^>]*\ssrc=", page)  # nothing is fetched
    assert "src=" not in re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert len(list(csv.reader(StringIO(readings_as_csv(readings, FER2013))))) == 11
