"""The app behind the nginx that ships: its content security policy breaks nothing."""

import re
import shutil
import socket
import subprocess
import time
from urllib.parse import urlparse

import pytest
from film import astronaut_frames, write_film
from pages_in_browser import settle
from served import ROOT, free_port, stop

SLOW_MS = 120_000

CAMERA = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)


@pytest.fixture
def nginx(app_server, tmp_path):
    """The shipped configuration in front of the app; only names, ports and folders differ."""
    if shutil.which("nginx") is None:
        pytest.skip("there is no nginx")
    port = free_port()
    text = (ROOT / "docker" / "nginx.conf").read_text()
    for shipped, here in (
        ("app:8501", urlparse(app_server).netloc),
        ("service:5000", urlparse(app_server).netloc),  # not asked
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("/tmp/", f"{tmp_path}/"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    config = tmp_path / "nginx.conf"
    config.write_text(text)
    process = subprocess.Popen(["nginx", "-c", str(config), "-g", "daemon off;"])
    try:
        for _ in range(SLOW_MS // 100):
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


@pytest.fixture
def film(tmp_path):
    frames = astronaut_frames(640, 480, 80, swing=30)
    return write_film(tmp_path / "camera.mjpeg", frames, "mjpeg", "yuvj420p")


def test_camera_charts_and_downloads_work_behind_nginx(nginx, launch_chromium, film):
    browser = launch_chromium([*CAMERA, f"--use-file-for-fake-video-capture={film}"])
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    answer = page.goto(f"{nginx}/live?overlay=graph")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    agree = page.get_by_role("button", name="Agree and continue")
    agree.wait_for(timeout=SLOW_MS)
    settle(page)
    agree.click()
    camera = page.frame_locator('iframe[title*="webrtc"]')
    camera.get_by_role("button", name="Start").click(timeout=SLOW_MS)
    page.get_by_text(re.compile(r"Face \d+: ")).first.wait_for(timeout=SLOW_MS)
    video = camera.locator("video")
    video.wait_for(timeout=SLOW_MS)
    before = video.evaluate("v => v.currentTime")
    for _ in range(SLOW_MS // 200):
        if video.evaluate("v => v.currentTime") > before:
            break
        page.wait_for_timeout(200)
    assert video.evaluate("v => v.currentTime") > before, "annotated frames come back"
    camera.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped. The timeline below keeps").wait_for(timeout=SLOW_MS)
    with page.expect_download(timeout=SLOW_MS) as waiting:
        page.get_by_role("button", name="Timeline (CSV)").click(timeout=SLOW_MS)
    assert waiting.value.path().stat().st_size

    page.goto(f"{nginx}/evaluation")
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=SLOW_MS)
    page.goto(f"{nginx}/explain?image=astronaut")
    page.get_by_role("grid", name="Grad-CAM").wait_for(timeout=SLOW_MS)
    page.goto(f"{nginx}/predict?image=astronaut")
    picture = page.get_by_alt_text("As it was cut out")
    picture.wait_for(timeout=SLOW_MS)
    page.wait_for_function(
        "() => document.querySelector('img[alt=\"As it was cut out\"]')?.naturalWidth > 0",
        timeout=SLOW_MS,
    )
    refused = [text for text in said if "Content Security Policy" in text or "CSP" in text]
    assert not refused, refused
