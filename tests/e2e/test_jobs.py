"""What people come for, from start to end in a browser, with the seconds that it took.

The webcam and films are in `test_live.py` and `test_live_video.py`, one's own checkpoint in
`test_predict.py`, evaluations in `test_evaluation.py`.
"""

import re
import time

import pytest
from pages_in_browser import settle
from PIL import Image
from playwright.sync_api import expect
from skimage import data

SLOW_MS = 120_000


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, image in {"me.png": data.astronaut(), "coffee.png": data.coffee()}.items():
        Image.fromarray(image).save(folder / name)
    return [folder / "me.png", folder / "coffee.png"]


@pytest.fixture
def job(request):
    """Prints how long a job took."""
    started = time.perf_counter()
    yield
    print(f"{request.node.name}: {time.perf_counter() - started:.1f} s")


def test_drop_ask_why_and_share(app_server, launch_chromium, photos, job):
    browser = launch_chromium()
    page = browser.new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(app_server)
    page.get_by_role("button", name="Drop a photo").wait_for()
    settle(page)
    page.get_by_role("button", name="Drop a photo").click()
    page.wait_for_url("**/predict*")
    settle(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").last.set_input_files(photos[0])
    page.wait_for_url(re.compile(r"image=[0-9a-f]{64}"))
    expect(page.get_by_role("heading", name="Happy, 94%")).to_be_visible(timeout=SLOW_MS)

    settle(page)
    page.get_by_role("button", name="Why?").click()
    page.wait_for_url("**/explain?*")
    expect(page.get_by_text(re.compile(r"Hiding the mouth costs \d+ points"))).to_be_visible()

    page.get_by_test_id("stMain").get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Share it for a day").click()
    expect(page.get_by_text("Anyone with the link sees this photo")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url

    friend = browser.new_context().new_page()
    friend.goto(link)
    expect(friend.get_by_role("heading", name="Happy, 94%")).to_be_visible(timeout=SLOW_MS)
    assert friend.get_by_text("only in the session").count() == 0


def test_many_photos_become_a_table(app_server, browser_page, photos, job):
    page = browser_page
    page.set_default_timeout(SLOW_MS)
    page.goto(f"{app_server}/predict?way=many")
    settle(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").last.set_input_files(photos)
    page.get_by_role("button", name=re.compile("^.*Predict with")).click()
    expect(page.get_by_text("1 face in 2 images")).to_be_visible(timeout=SLOW_MS)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Table (.csv)").click()
    table = waiting.value.path().read_text()
    assert "me.png" in table and "happy" in table and "coffee.png" in table
