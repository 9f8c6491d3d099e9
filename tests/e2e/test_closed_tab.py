"""A closed tab: what was derived from the visitor's photo is served no longer."""

import re
import time
import urllib.error
import urllib.request

import cv2
import pytest
from pages_in_browser import settle
from served import face_image, jpeg

SLOW_MS = 120_000
KEPT_S = 3


def is_served(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30):
            return True
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return False


@pytest.fixture
def photo(tmp_path):
    """A photo that nobody else shows."""
    image = cv2.flip(face_image(), 1)
    path = tmp_path / "mine.jpg"
    path.write_bytes(jpeg(image))
    return path


def test_pictures_of_an_upload_go_with_its_tab_though_nobody_else_comes(
    serve_app, launch_chromium, photo
):
    with serve_app(STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL=str(KEPT_S)) as address:
        browser = launch_chromium()
        page = browser.new_page()
        page.goto(f"{address}/predict")
        page.get_by_text("not felt emotions").last.wait_for(timeout=SLOW_MS)
        settle(page)
        page.get_by_test_id("stFileUploaderDropzoneInput").last.set_input_files(photo)
        page.wait_for_url(re.compile("image=[0-9a-f]{64}"), timeout=SLOW_MS)
        page.get_by_text("not felt emotions").last.wait_for(timeout=SLOW_MS)
        settle(page)
        crop = page.get_by_alt_text("As it was cut out")
        crop.wait_for(timeout=SLOW_MS)
        served = address + re.sub(r"^https?://[^/]+", "", crop.get_attribute("src"))
        assert "/media/" in served and is_served(served)
        page.close()
        deadline = time.monotonic() + SLOW_MS / 1000
        while is_served(served) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not is_served(served)
