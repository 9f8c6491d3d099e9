"""Cameras and videos at the server's side: one capture for all, and only while somebody looks."""

import threading
import time

import av
import cv2
import numpy as np
import pytest
import served
from film import write_film

from fervt.service.problems import MEDIA_TYPE


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """One second of the astronaut, 25 frames."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    frame = served.face_image(240, 176)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 240, 176, "yuv420p"
        for _ in range(25):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())
    return path


def wait_until(is_true, seconds=20):
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read_part(parts):
    part = next(parts)
    head, _, jpeg = part.partition(b"\r\n\r\n")
    assert head.startswith(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ")
    assert int(head.rpartition(b" ")[2]) == len(jpeg) - 2
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def test_viewers_share_one_capture_that_ends_with_the_last(make_client, clip, monkeypatch):
    real = cv2.VideoCapture
    opened, most = [], []  # captures that are open, and how many were at each opening

    class Counted:
        def __init__(self, origin):
            self._capture = real(origin)
            opened.append(origin)
            most.append(len(opened))

        def __getattr__(self, name):
            return getattr(self._capture, name)

        def release(self):
            opened.pop()
            self._capture.release()

    monkeypatch.setattr(cv2, "VideoCapture", Counted)
    client = make_client(sources={"demo": str(clip)})
    source = client.application.extensions["fervt"].sources.by_name["demo"]
    assert not source.is_open and client.get("/v1/model").get_json()["sources"] == ["demo"]
    first = client.get("/v1/stream?source=demo")
    assert first.content_type == "multipart/x-mixed-replace; boundary=frame"
    second = client.get("/v1/stream?source=demo")
    parts = first.iter_encoded()
    picture = read_part(parts)
    assert picture.shape == (176, 240, 3)
    plain = served.face_image(240, 176).astype(int)
    assert np.abs(picture - plain).max() > 100  # a box is drawn in
    read_part(second.iter_encoded())
    assert opened == [str(clip)]
    second.close()
    for _ in range(3):
        read_part(parts)
    assert source.is_open
    first.close()
    wait_until(lambda: not source.is_open)
    assert opened == []
    with client.get("/v1/stream?source=demo") as again:
        read_part(again.iter_encoded())
    wait_until(lambda: not source.is_open)
    assert opened == [] and set(most) == {1}


def test_frames_are_counted_on_when_a_capture_starts_again(make_client, clip):
    client = make_client(sources={"demo": str(clip)})
    source = client.application.extensions["fervt"].sources.by_name["demo"]
    source.join()
    number, jpeg = source.wait_for_frame(3)
    assert number > 3 and jpeg is not None
    source.leave()
    wait_until(lambda: not source.is_open)
    assert source.wait_for_frame(0)[1] is None, "no picture of the last capture"
    source.join()
    again, jpeg = source.wait_for_frame(number)  # for whom the restart went unnoticed
    assert again > number and jpeg is not None
    source.leave()
    wait_until(lambda: not source.is_open)


def test_a_clip_starts_again_at_its_end(make_client, clip):
    client = make_client(sources={"demo": str(clip)})
    with client.get("/v1/stream?source=demo") as answer:
        parts = answer.iter_encoded()
        started = time.monotonic()
        while time.monotonic() - started < 2.5:
            read_part(parts)


@pytest.mark.parametrize("name", ["", "0", "lobby", "/etc/passwd", "http://127.0.0.1/x.mp4"])
def test_visitors_cannot_open_anything_else(make_client, clip, name, monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", lambda *a: pytest.fail("something was opened"))
    client = make_client(sources={"demo": str(clip)})
    answer = client.get("/v1/stream", query_string={"source": name})
    assert answer.status_code == 404 and answer.content_type == MEDIA_TYPE


def test_a_source_that_gives_nothing_is_503(make_client, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 100)
    client = make_client(sources={"bad": str(tmp_path / "broken.mp4")}, max_viewers=1)
    for _ in range(3):  # each gives its place back
        answer = client.get("/v1/stream?source=bad")
        assert answer.status_code == 503 and "'bad'" in answer.get_json(force=True)["detail"]
    source = client.application.extensions["fervt"].sources.by_name["bad"]
    wait_until(lambda: not source.is_open)


def test_viewers_have_a_limit(make_client, clip):
    client = make_client(sources={"demo": str(clip)}, max_viewers=1)
    with client.get("/v1/stream?source=demo"):
        refused = client.get("/v1/stream?source=demo")
        assert refused.status_code == 503 and "viewers" in refused.get_json(force=True)["detail"]
    with client.get("/v1/stream?source=demo") as answer:
        assert answer.status_code == 200


def test_a_stop_ends_streams_and_captures(make_client, clip):
    client = make_client(sources={"demo": str(clip)})
    service = client.application.extensions["fervt"]
    with client.get("/v1/stream?source=demo") as answer:
        threading.Timer(0.3, service.stopping.set).start()
        assert len(list(answer.iter_encoded())) < 100
    wait_until(lambda: not service.sources.by_name["demo"].is_open)


def test_a_fast_clip_is_shown_at_its_own_speed(make_client, tmp_path, monkeypatch):
    frames = iter([np.zeros((48, 64, 3), np.uint8)] * 60)
    path = write_film(tmp_path / "fast.mp4", frames, "libx264", "yuv420p", fps=60)
    client = make_client(sources={"fast": str(path)})
    source = client.application.extensions["fervt"].sources.by_name["fast"]
    shown: list[int] = []
    monkeypatch.setattr(source, "_publish", shown.append)
    monkeypatch.setattr(source, "_is_wanted", lambda: True)
    source._play()
    assert 0 < len(shown) <= 30  # every other one of a second
