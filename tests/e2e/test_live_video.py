"""A video file on the Live page, in a real browser and a real process."""

import csv
import re
from io import BytesIO, StringIO

import av
import pytest
from film import astronaut_frames, write_film
from pages_in_browser import settle

SLOW_MS = 180_000  # a new process loads the model while other work goes on


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A short film, and one that takes long to read."""
    folder = tmp_path_factory.mktemp("films")
    return [
        write_film(folder / f"{name}.mp4", astronaut_frames(*size, count), "libx264", "yuv420p")
        for name, size, count in (("short", (320, 238), 12), ("long", (640, 480), 1500))
    ]


def download(page, name: str) -> bytes:
    with page.expect_download(timeout=SLOW_MS) as waiting:
        page.get_by_role("button", name=name).click()
    return waiting.value.path().read_bytes()


@pytest.mark.job("film")
def test_a_film_is_read_played_saved_found_again_and_forgotten(app_server, browser_page, films):
    page = browser_page
    page.goto(f"{app_server}/live?source=video&overlay=gwa")
    uploader = page.locator('[data-testid="stMain"] [data-testid="stFileUploaderDropzoneInput"]')
    uploader.wait_for(state="attached", timeout=SLOW_MS)
    settle(page)
    uploader.set_input_files(films[0])
    page.get_by_text("Reading short.mp4").wait_for(timeout=SLOW_MS)
    page.wait_for_url(re.compile(r"job=[\w-]{20,}"), timeout=SLOW_MS)

    page.get_by_text(re.compile(r"12 frames in .*a face in 12 of them, 1 person")).wait_for(
        timeout=SLOW_MS
    )
    assert page.get_by_text("Reading short.mp4").count() == 0
    video = page.locator("video")
    assert video.evaluate("v => v.muted = true")
    video.evaluate("v => v.play()")
    page.wait_for_function("document.querySelector('video').currentTime > 0.2", timeout=SLOW_MS)
    assert video.evaluate("v => [v.videoWidth, v.videoHeight]") == [320, 238]
    assert abs(video.evaluate("v => v.duration") - 0.6) < 0.1
    page.locator(".js-plotly-plot").first.wait_for(timeout=SLOW_MS)
    page.get_by_text(re.compile(r"face 1: Happy")).wait_for(timeout=SLOW_MS)

    video.evaluate("v => v.pause()")
    plot = page.locator(".st-key-video_timeline .nsewdrag").first
    size = plot.bounding_box()
    for share, moment in ((0.02, r"0\.0"), (0.97, r"0\.[56]"), (0.02, r"0\.0")):
        settle(page)
        plot.click(position={"x": share * size["width"], "y": size["height"] / 2})
        page.get_by_text(re.compile(rf"^At {moment} s, face 1: Happy")).wait_for(timeout=SLOW_MS)
        assert abs(video.evaluate("v => v.currentTime") - share * 0.55) < 0.1

    with av.open(BytesIO(download(page, "Annotated video (MP4)"))) as film:
        assert sum(1 for _ in film.decode(video=0)) == 12
    rows = list(csv.DictReader(StringIO(download(page, "Timeline (CSV)").decode())))
    assert [row["label"] for row in rows] == ["happy"] * 12

    page.reload()
    page.get_by_text(re.compile(r"12 frames in")).wait_for(timeout=SLOW_MS)
    settle(page)
    page.get_by_role("button", name="Forget this video").click()
    page.get_by_text(re.compile(r"12 frames in")).wait_for(state="detached", timeout=SLOW_MS)
    assert "job=" not in page.url


def test_a_running_job_survives_a_reload_and_ends_on_cancel(app_server, browser_page, films):
    page = browser_page
    page.goto(f"{app_server}/live?source=video")
    uploader = page.locator('[data-testid="stMain"] [data-testid="stFileUploaderDropzoneInput"]')
    uploader.wait_for(state="attached", timeout=SLOW_MS)
    settle(page)
    uploader.set_input_files(films[1])
    page.get_by_text(re.compile(r"Frame \d+, about \d+ (s|min) left")).wait_for(timeout=SLOW_MS)
    page.reload()
    page.get_by_text(re.compile(r"Frame \d+")).wait_for(timeout=SLOW_MS)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled.").wait_for(timeout=SLOW_MS)
    assert page.get_by_text("Reading long.mp4").count() == 0
