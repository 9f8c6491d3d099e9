"""The service as it runs: gunicorn on loopback, programs, a browser, and people who mean harm."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import av
import numpy as np
import pytest
import served
import tiny
from playwright.sync_api import expect
from simple_websocket import Client, ConnectionClosed

from fervt.__main__ import main

READ_TIMEOUT_S = 2


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny.save_tiny(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="module")
def service(checkpoint):
    options = ["--workers", "2", "--max-rate", "0", "--max-body-mb", "3", "--max-sockets", "2"]
    with served.serving(checkpoint, *options, "--read-timeout-s", str(READ_TIMEOUT_S)) as running:
        yield running
        assert "Traceback" not in running.log.read_text()


@pytest.fixture(scope="module")
def frame():
    return served.jpeg(served.face_image())


def call(service, path, data=None, **headers):
    """Status, content type, body."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(service.url + path, data, names)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def predict(service, frame):
    return call(service, "/v1/predict", frame, Content_Type="image/jpeg")


def is_well(service, frame):
    status, _, body = predict(service, frame)
    return status == 200 and json.loads(body)["images"][0]["faces_found"] == 1


def read_to_end(connection):
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionError:
        pass  # hung up on with data of ours unread
    return received


def open_live(service, **options):
    return Client.connect(service.url.replace("http", "ws") + "/v1/live", **options)


def answer_of(socket):
    return json.loads(socket.receive(timeout=60))


# ---- programs


def test_the_readme_call_and_metrics_of_all_workers(service, frame):
    before = call(service, "/metrics")[2].decode()
    for _ in range(12):  # a new connection each, so that both workers are met
        assert is_well(service, frame)
    after = call(service, "/metrics")[2].decode()

    def total(text):
        found = re.search(r'POST",route="/v1/predict",status="200"} (\S+)', text)
        return float(found[1]) if found else 0

    assert total(after) - total(before) == 12


def test_the_documented_calls_work_as_pasted(service, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    lines = []
    for name in ("docs/service.md", "README.md"):
        text = (served.ROOT / name).read_text().replace(".venv/bin/python", "python")
        blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        lines += [line for block in blocks for line in block.splitlines()]
    pictures = [line for line in lines if "load_example" in line or "imsave" in line]
    calls = [line for line in lines if line.startswith("curl ")]
    assert len(calls) == 2
    environment = {**os.environ, "PYTHONPATH": str(served.ROOT), "PYTHONWARNINGS": "ignore"}
    environment["PATH"] = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    for line in [*pictures, *calls]:
        line = line.replace("http://127.0.0.1:5000", service.url)
        done = subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        if line.startswith("curl "):
            assert json.loads(done.stdout)["images"][0]["faces_found"] == 1


def test_schemathesis_finds_nothing_unhandled(service, tmp_path):
    """Its check `positive_data_acceptance` is off: no schema can say which bytes are an image."""
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command += ["run", f"{service.url}/openapi.json", "--url", service.url, "--no-color"]
    command += ["--max-examples", "12", "--seed", "7", "--generation-database", "none"]
    command += ["--exclude-checks", "positive_data_acceptance"]
    command += ["--phases", "examples,coverage,fuzzing", "--generation-with-security-parameters"]
    command += ["false"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


# ---- people who mean harm


def test_a_claimed_gigabyte_is_refused_unread(service, frame):
    with service.connect() as connection:
        connection.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
            b"Content-Length: 1000000000\r\n\r\n"
        )
        started = time.monotonic()
        connection.settimeout(30)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
        assert time.monotonic() - started < 5
    assert is_well(service, frame)


def test_a_body_without_an_end_is_cut_off(service, frame):
    """Chunked, so that no length is claimed that could be refused."""
    head = (
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with service.connect() as connection:
        connection.sendall(head)
        chunk = b"%x\r\n" % 100_000 + bytes(100_000) + b"\r\n"
        sent = 0
        try:
            while sent < 400:
                connection.sendall(chunk)
                sent += 1
        except OSError:
            pass
        assert b" 413 " in read_to_end(connection)[:20] or sent < 400
    assert is_well(service, frame)


CHUNKED = (
    b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)
MEGABYTE = b"100000\r\n" + bytes(0x100000) + b"\r\n"


@pytest.mark.parametrize("kind", [b"image/jpeg", b"application/json", b"text/plain"])
@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        ([MEGABYTE] * 4 + [b"0\r\n\r\n"], 413),
        ([b"-5\r\nhello\r\n0\r\n\r\n"], 400),
        ([b"5\r\nhello\r\nzz\r\n"], 400),
        ([b"5\r\nhelloXX0\r\n\r\n"], 400),
    ],
    ids=["over the limit", "a negative size", "a size that is none", "no end"],
)
def test_chunks_that_are_wrong_or_too_many_are_said_so(service, kind, chunks, status):
    with service.connect() as connection:
        connection.sendall(CHUNKED % kind)
        for chunk in chunks:
            connection.sendall(chunk)
        assert connection.recv(65536).split()[1] == str(status).encode()


@pytest.mark.parametrize(
    ("path", "kind", "megabytes", "status"),
    [
        ("/v1/predict", "image/jpeg", 5, 413),
        ("/v1/predict", "text/plain", 3, 415),
        ("/v1/nothing", "image/jpeg", 3, 404),
        ("/healthz", "image/jpeg", 3, 405),
    ],
)
def test_a_client_that_sends_before_it_reads_sees_why_it_is_refused(
    service, path, kind, megabytes, status
):
    for _ in range(5):
        body = bytes(megabytes * 1_000_000)
        assert call(service, path, body, Content_Type=kind)[0] == status


def test_a_refused_body_with_a_bad_chunk_is_answered_once(service):
    """The answer is sent before the body is read to its end."""
    with service.connect() as connection:
        head = CHUNKED.replace(b"/v1/predict", b"/healthz").replace(b"Connection: close\r\n", b"")
        connection.sendall(head % b"image/jpeg" + b"zz\r\n")
        received = read_to_end(connection)
    assert received.startswith(b"HTTP/1.1 405 ") and received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "start", [b"", b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Le"], ids=["silent", "half"]
)
def test_health_is_answered_beside_many_stalled_connections(service, start):
    connections = [service.connect() for _ in range(150)]
    try:
        for connection in connections:
            connection.sendall(start)
        with urllib.request.urlopen(f"{service.url}/healthz", timeout=5) as answer:
            assert answer.status == 200
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize(
    "start",
    [
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
        b"Content-Length: 5000\r\n\r\n",
    ],
    ids=["header", "body"],
)
def test_a_slow_loris_is_hung_up_on_and_holds_nobody_up(service, frame, start):
    started = time.monotonic()
    connections = [service.connect() for _ in range(12)]
    ended = 0
    try:
        for connection in connections:
            connection.sendall(start)
        assert is_well(service, frame)
        while ended < len(connections):
            assert time.monotonic() - started < READ_TIMEOUT_S + 15
            ended = 0
            for connection in connections:
                try:
                    connection.sendall(b"X")  # a byte now and then, so that it never falls silent
                except OSError:
                    ended += 1
            time.sleep(0.2)
    finally:
        for connection in connections:
            connection.close()
    assert is_well(service, frame)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_no_traceback(service, frame, request_bytes):
    with service.connect() as connection:
        connection.sendall(request_bytes)
        received = read_to_end(connection)
    assert received.startswith(b"HTTP/1.1 4") and b"Traceback" not in received
    assert is_well(service, frame)


# ---- pages


def test_a_page_gets_an_answer_a_frame_and_evidence_when_asked(service, frame):
    live = open_live(service)
    live.send(frame)
    plain = answer_of(live)
    assert plain["width"] == 320 and plain["faces_found"] == 1 and plain["server_ms"] > 0
    assert "gwa" not in plain["faces"][0]
    for nonsense in ("", "{", "7", '{"explain": 5}', '{"explain": ["x"]}', "[" * 5000):
        live.send(nonsense)
    live.send('{"explain": ["gwa", "gat"]}')
    live.send(frame)
    face = answer_of(live)["faces"][0]
    assert np.array(face["gwa"]).shape == (7, 7) and len(face["gat"][0]) == 217
    live.send(b"no image")
    assert answer_of(live)["problem"]["status"] == 422
    live.send(frame)
    assert answer_of(live)["faces_found"] == 1
    live.close()


def test_the_newest_frame_wins_and_floods_are_ended(service, frame):
    live = open_live(service)
    answers = []
    # The client hears of the end, or finds its socket closed in the middle of sending.
    with pytest.raises((ConnectionClosed, OSError)) as caught:
        for _ in range(20_000):
            live.send(frame)
            while (message := live.receive(timeout=0)) is not None:
                answers.append(message)
        while True:
            live.receive(timeout=60)
    reason = getattr(caught.value, "reason", 1006)
    assert reason in (1008, 1005, 1006)  # ours, or lost under the flood
    assert is_well(service, frame)
    metrics = call(service, "/metrics")[2].decode()
    dropped = re.search(r"^fervt_frames_dropped_total (\S+)", metrics, re.MULTILINE)
    assert dropped and float(dropped[1]) > 0


def test_frames_that_are_too_large_end_the_page(service, frame):
    live = open_live(service)
    with pytest.raises(ConnectionClosed):
        live.send(bytes(5_000_000))
        while True:
            live.receive(timeout=60)
    assert is_well(service, frame)


def test_pages_have_a_limit_and_are_told(service, frame):
    """Two a worker: of five at a time one at least is sent away, with a reason."""
    pages = [open_live(service) for _ in range(5)]
    reasons = []
    for page in pages:
        try:
            page.send(frame)
            assert "faces" in answer_of(page)
        except ConnectionClosed as error:
            reasons.append((error.reason, error.message))
    assert reasons and set(reasons) == {(1013, "Too many open pages; try again later.")}
    for page in pages:
        if page.connected:
            page.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:  # the places come back
        page = open_live(service)
        try:
            page.send(frame)
            assert answer_of(page)["faces_found"] == 1
            page.close()
            return
        except ConnectionClosed:
            time.sleep(0.2)
    pytest.fail("no place came back")


def shake_hands(service, *headers):
    """The start of the answer to a WebSocket handshake with these headers."""
    lines = ["GET /v1/live HTTP/1.1", f"Host: 127.0.0.1:{service.port}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", "Sec-WebSocket-Version: 13", *headers, "", ""]
    with service.connect() as connection:
        connection.sendall("\r\n".join(lines).encode())
        connection.settimeout(20)
        return connection.recv(65536)


KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="


def test_other_sites_cannot_connect(service):
    assert b" 403 " in shake_hands(service, KEY, "Origin: https://evil.example")[:20]
    assert b" 403 " in shake_hands(service, KEY, "Origin: null")[:20]
    assert b" 101 " in shake_hands(service, KEY, f"Origin: {service.url}")[:20]


def test_half_a_handshake_is_a_problem(service, frame):
    answer = shake_hands(service)
    assert b" 400 " in answer[:20] and b"application/problem+json" in answer
    assert is_well(service, frame)


# ---- starting, dying, stopping


def test_a_killed_worker_is_replaced_and_the_other_serves_on(service, frame):
    first, second = service.worker_pids()
    os.kill(first, signal.SIGKILL)
    answered = 0
    deadline = time.monotonic() + 60
    while len({*service.worker_pids()} - {first, second}) < 1 or answered < 5:
        assert time.monotonic() < deadline
        try:
            answered += is_well(service, frame)
        except OSError:
            pass  # was in flight
    assert second in service.worker_pids()
    deadline = time.monotonic() + 60
    while any(not is_well(service, frame) for _ in range(6)):
        assert time.monotonic() < deadline


def test_a_stop_is_clean_and_quick_with_an_open_page_and_a_stream(checkpoint, frame, tmp_path):
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        for _ in range(10):
            picture = av.VideoFrame.from_ndarray(served.face_image(160, 128), format="rgb24")
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    environment = {"TMPDIR": str(tmp_path)}
    options = ["--source", f"demo={clip}"]
    with served.serving(checkpoint, *options, env=environment) as running:
        assert len(running.worker_pids()) == 1
        assert list(tmp_path.glob("fervt-metrics-*"))
        live = open_live(running)
        live.send(frame)
        assert answer_of(live)["faces_found"] == 1
        watching = urllib.request.urlopen(running.url + "/v1/stream?source=demo", timeout=30)
        with watching:
            assert watching.readline() == b"--frame\r\n"
            running.process.terminate()
            with pytest.raises(ConnectionClosed) as caught:
                while True:
                    live.receive(timeout=30)
            assert caught.value.reason == 1001
            watching.read()
        assert running.process.wait(timeout=14) == 0  # less than gunicorn's own patience
    assert not list(tmp_path.glob("fervt-metrics-*"))
    assert "Traceback" not in running.log.read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--checkpoint", "TINY", "--port", "TAKEN"), "Cannot listen on 127.0.0.1, port"),
        (("--checkpoint", "TINY", "--port", "70000"), "Cannot listen on port 70000"),
        (("--checkpoint", "TINY", "--host", "256.0.0.1"), "Cannot listen on 256.0.0.1"),
        (("--checkpoint", "DAMAGED"), "'damaged.safetensors'"),
        (("--source", "lobby=0", "--workers", "2"), "Sources need one worker"),
        (("--source", "demo=missing.mp4"), "neither a file nor a camera number"),
        (("--source", "0"), "must be NAME="),
        (("--source", "a=0", "--source", "a=1"), "each name once"),
        (("--workers", "0"), "at least 1"),
        (("--max-megapixels", "99"), "max_megapixels must be at most 25"),
        (("--checkpoint", "TINY", "--port", "FREE"), "FERVT_YUNET names '/missing.onnx'"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    checkpoint, tmp_path, capsys, monkeypatch, options, words
):
    monkeypatch.setattr("fervt.cli.serve.limit_process", lambda threads: None)  # this one
    if "FREE" in options:
        monkeypatch.setenv("FERVT_YUNET", "/missing.onnx")
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(checkpoint.read_bytes()[:-100])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        names = {
            "TINY": str(checkpoint),
            "DAMAGED": str(damaged),
            "TAKEN": str(taken.getsockname()[1]),
            "FREE": "5000",
        }
        assert main(["serve", *(names.get(option, option) for option in options)]) == 2
    said = capsys.readouterr().err
    assert words in said and said.startswith("fervt: ") and said.count("\n") == 1


# ---- the page in a browser


@pytest.fixture(scope="module")
def camera_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("camera") / "cam.mjpeg"
    picture = served.face_image(640, 480)
    with av.open(str(path), "w", format="mjpeg") as file:
        stream = file.add_stream("mjpeg", rate=15)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for _ in range(15):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path


def painted(page):
    """How many pixels of the canvas are not clear."""
    return page.evaluate(
        """() => {
            const c = document.getElementById("canvas");
            const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            let n = 0;
            for (let i = 3; i < d.length; i += 4) n += d[i] > 0;
            return n;
        }"""
    )


def test_the_page_with_a_camera(service, launch_chromium, camera_file):
    browser = launch_chromium(
        [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera_file}",
        ]
    )
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints, outside = [], []
    page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda r: r.url.startswith(service.url) or outside.append(r.url))
    page.goto(service.url)
    page.wait_for_selector("#bars li >> nth=6")
    assert page.inner_text("#headline") == "–" and painted(page) == 0
    page.click("#camera")
    expect(page.locator("#faces")).to_have_text("1", timeout=60_000)
    expect(page.locator("#fps")).to_have_text(re.compile(r"^\d+\.\d$"), timeout=60_000)
    assert page.inner_text("#status") == "Live."
    assert page.inner_text("#latency").endswith(" ms")
    shares = [int(t.rstrip("%")) for t in page.locator("#bars .share").all_inner_texts()]
    assert len(shares) == 7 and 95 <= sum(shares) <= 105
    boxed = painted(page)
    assert boxed > 500
    for kind in ("gwa", "gat"):
        page.check(f"input[value={kind}]", force=True)
        expect(page.locator("#legend")).to_contain_text("ttention")
        deadline = time.monotonic() + 30
        while painted(page) < 2 * boxed:  # the whole face is covered
            assert time.monotonic() < deadline
            page.wait_for_timeout(100)
    page.check("input[value='']", force=True)
    page.click("#camera")
    assert page.inner_text("#status") == "The camera is off." and painted(page) == 0
    assert complaints == [] and outside == []


def test_the_page_with_photos(service, browser_page, frame, tmp_path):
    browser_page.goto(service.url)
    browser_page.wait_for_selector("#bars li >> nth=6")
    photo = tmp_path / "me.jpg"
    photo.write_bytes(frame)
    browser_page.set_input_files("#photo", str(photo))
    expect(browser_page.locator("#status")).to_have_text("Done.", timeout=60_000)
    assert browser_page.inner_text("#faces") == "1" and painted(browser_page) > 100_000
    words = tmp_path / "words.png"
    words.write_bytes(b"no image")
    browser_page.set_input_files("#photo", str(words))
    expect(browser_page.locator("#status.bad")).to_contain_text("is not an image", timeout=60_000)
    assert browser_page.inner_text("#headline") == "–"


def test_the_page_says_when_there_is_no_camera(service, browser_page):
    browser_page.goto(service.url)
    browser_page.wait_for_selector("#bars li >> nth=6")
    browser_page.click("#camera")
    expect(browser_page.locator("#status.bad")).to_contain_text("amera", timeout=60_000)
