"""The webcam page in a real browser, whose camera plays a film of a moving astronaut."""

import re

import av
import pytest
from accessibility import assert_accessible
from film import astronaut_frames, write_film
from pages_in_browser import settle

SLOW_MS = 120_000  # a busy machine may need long for the first frame

CAMERA = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    frames = astronaut_frames(640, 480, 80, swing=30)  # as fast as people move, at few frames, too
    return write_film(path, frames, "mjpeg", "yuvj420p")


def open_live(page, app_server: str, parameters: str = ""):
    """The page after consent; gives the frame of the camera's component."""
    page.goto(f"{app_server}/live{parameters}")
    agree = page.get_by_role("button", name="Agree and continue")
    agree.wait_for(timeout=SLOW_MS)
    settle(page)
    agree.click(timeout=SLOW_MS)
    return page.frame_locator('iframe[title*="webrtc"]')


def wait_for_a_steady_face(page, attempts: int = 5) -> bool:
    """Whether one face keeps its number for three seconds, once the stream has settled."""
    for _ in range(attempts):
        seen = []
        for _ in range(4):
            texts = page.get_by_text(re.compile(r"Face \d+:")).all_inner_texts()
            seen.append([text.split(":")[0] for text in texts])
            page.wait_for_timeout(1000)
        if len(seen[0]) == 1 and all(faces == seen[0] for faces in seen):
            return True
    return False


@pytest.mark.job("webcam")
def test_a_face_is_tracked_and_read_until_stop(app_server, launch_chromium, film):
    browser = launch_chromium([*CAMERA, f"--use-file-for-fake-video-capture={film}"])
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    camera = open_live(page, app_server, "?overlay=graph")
    camera.get_by_role("button", name="Start").click(timeout=SLOW_MS)
    page.get_by_text(re.compile(r"Face \d+: Happy")).first.wait_for(timeout=SLOW_MS)
    page.get_by_text("Details", exact=True).click(timeout=SLOW_MS)  # stays open as it refreshes
    page.wait_for_function(
        """() => ["Frames/s in", "Frames/s read"].every((label) =>
          [...document.querySelectorAll("[data-testid=stMetric]")].some(
            ({ innerText }) => innerText.includes(label)
              && parseFloat(innerText.split("\\n").pop()) > 0))""",
        timeout=SLOW_MS,
    )
    page.get_by_text(re.compile(r"Latency \d+ ms")).wait_for(timeout=SLOW_MS)
    video = camera.locator("video")
    before = video.evaluate("v => v.currentTime")
    assert wait_for_a_steady_face(page)
    assert video.evaluate("v => v.currentTime") > before
    assert_accessible(page, "live, running")

    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_text(re.compile(r"Recording, [1-9]\d* s")).wait_for(timeout=SLOW_MS)
    page.get_by_role("button", name="Stop recording").click()
    with page.expect_download(timeout=SLOW_MS) as waiting:
        page.get_by_role("button", name="Recording (MP4)").click(timeout=SLOW_MS)
    with av.open(str(waiting.value.path())) as recording:
        assert recording.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in recording.decode(video=0)) >= 2
    page.wait_for_function(
        "document.querySelector('video')?.readyState >= 2", timeout=SLOW_MS
    )  # it plays here, too
    page.get_by_role("button", name="Forget the recording").click()
    page.get_by_text("Your recording").wait_for(state="detached", timeout=SLOW_MS)

    camera.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped. The timeline below keeps").wait_for(timeout=SLOW_MS)
    camera.get_by_role("button", name="Start").wait_for(timeout=SLOW_MS)
    page.get_by_role("button", name="Timeline (CSV)").wait_for(timeout=SLOW_MS)
    page.get_by_role("button", name="Forget the timeline").click()
    page.get_by_text("Press Start below the picture").wait_for(timeout=SLOW_MS)


def test_a_snapshot_opens_in_explain_however_busy_the_browser(app_server, launch_chromium, film):
    browser = launch_chromium([*CAMERA, f"--use-file-for-fake-video-capture={film}"])
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    open_live(page, app_server).get_by_role("button", name="Start").click(timeout=SLOW_MS)
    button = page.get_by_role("button", name="Explain this moment")
    button.wait_for(timeout=SLOW_MS)
    slow = page.context.new_cdp_session(page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 4})  # it still asks for the old page
    button.click(timeout=SLOW_MS)
    page.wait_for_url(re.compile(r"/explain\?.*image=[0-9a-f]{64}"), timeout=SLOW_MS)
    page.get_by_role("grid", name="Grad-CAM").wait_for(timeout=SLOW_MS)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    page.wait_for_timeout(3000)
    assert page.get_by_role("heading", name="Explain", exact=True).is_visible()
    assert page.get_by_text(re.compile(r"Happy, \d+%")).first.is_visible()
    assert re.search(r"image=[0-9a-f]{64}", page.url)


def test_a_denied_camera_is_explained(app_server, launch_chromium):
    browser = launch_chromium(["--use-fake-device-for-media-stream"])
    context = browser.new_context()
    context.grant_permissions([])  # all others count as denied
    page = context.new_page()
    open_live(page, app_server)
    page.get_by_text("does not let this page use the camera. Allow").wait_for(timeout=SLOW_MS)
    assert page.get_by_text("No camera was found").is_hidden()
    page.get_by_role("link", name="Take a photo or a snapshot").wait_for(timeout=SLOW_MS)


def test_a_missing_camera_is_explained(app_server, launch_chromium):
    page = launch_chromium(["--use-fake-ui-for-media-stream"]).new_page()
    open_live(page, app_server)
    page.get_by_text("No camera was found").wait_for(timeout=SLOW_MS)
