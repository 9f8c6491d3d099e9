"""What people come for, from start to end in a browser; the seconds are printed at the end.

The webcam is in `test_live.py`, a film in `test_live_video.py`, and evaluating one's own images in
`test_evaluate_data.py`.
"""

import io
import re
import zipfile

import pytest
from pages_in_browser import settle, settle_later
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from fervt.checkpoint import find_checkpoint, shipped_checkpoints
from fervt.evaluation.comparison import compare, join_evaluations
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.store import EvaluationStore
from fervt.labels import FERPLUS

SLOW_MS = 120_000


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, image in {"me.png": data.astronaut(), "coffee.png": data.coffee()}.items():
        Image.fromarray(image).save(folder / name)
    return [folder / "me.png", folder / "coffee.png"]


@pytest.mark.job("drop, why, share")
def test_drop_ask_why_and_share(app_server, launch_chromium, photos):
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
    expect(page.get_by_role("heading", name="Happy, 96%")).to_be_visible(timeout=SLOW_MS)

    settle(page)
    page.get_by_role("button", name="Why?").click()
    page.wait_for_url("**/explain?*")
    said = re.compile(r"No single region decides: hiding any one of them costs at most \d+ points")
    expect(page.get_by_text(said)).to_be_visible()

    page.get_by_test_id("stMain").get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Share it for a day").click()
    expect(page.get_by_text("Anyone with the link can see this photo")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url

    friend = browser.new_context().new_page()
    friend.goto(link)
    expect(friend.get_by_role("heading", name="Happy, 96%")).to_be_visible(timeout=SLOW_MS)
    assert friend.get_by_text("only in the session").count() == 0


@pytest.mark.job("batch")
def test_many_photos_become_a_table(app_server, browser_page, photos):
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


@pytest.mark.job("compare")
def test_two_checkpoints_are_compared_in_words(app_server, browser_page):
    flagship, other = list(shipped_checkpoints())[:2]
    page = browser_page
    page.set_default_timeout(SLOW_MS)
    choice = f"checkpoint={flagship}&with={other}&split=PrivateTest&image=astronaut"
    page.goto(f"{app_server}/compare?{choice}")
    settle(page)
    pair = [
        read_evaluation(EvaluationStore().folders(name)["PrivateTest"])
        for name in (flagship, other)
    ]
    base, changed = join_evaluations(pair, FERPLUS).rows
    better = compare(base, changed)["accuracy"].value > 0
    said = f"{other if better else flagship} is clearly better"
    expect(page.get_by_role("heading", level=3).filter(has_text=said)).to_be_visible()
    page.get_by_role("tab", name="One face").click()
    for name in (flagship, other):
        expect(page.get_by_text(re.compile(f"^{name}: Happy, ")).first).to_be_visible()


@pytest.mark.job("own checkpoint")
def test_an_own_checkpoint_reads_and_explains(app_server, browser_page, tmp_path):
    page = browser_page
    page.set_default_timeout(SLOW_MS)
    page.goto(f"{app_server}/predict?image=astronaut")
    settle(page)
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(find_checkpoint("ablation").read_bytes())
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_text("Use your own").click()
    sidebar.locator("input[type=file]").set_input_files(mine)
    page.wait_for_url(re.compile(r"checkpoint=[0-9a-f]{64}"))
    expect(sidebar.get_by_role("combobox", name="Checkpoint")).to_have_value(re.compile("yours"))
    settle_later(page)
    page.get_by_role("button", name="Why?").click()
    page.wait_for_url("**/explain?*")
    expect(page.get_by_test_id("stMain").get_by_role("heading", level=2).first).to_be_visible()
    settle_later(page)
    expect(sidebar.get_by_role("combobox", name="Checkpoint")).to_have_value(re.compile("yours"))


@pytest.mark.job("report")
def test_a_report_and_slides_are_taken_along(app_server, browser_page):
    name = next(iter(shipped_checkpoints()))
    page = browser_page
    page.set_default_timeout(SLOW_MS)
    page.goto(f"{app_server}/evaluation?checkpoint={name}&view=Report")
    settle(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Report (.html)").click()
    report = waiting.value.path().read_text()
    split, metrics = next(iter(EvaluationStore().metrics(name).items()))
    assert f"{metrics.standard.accuracy:.2%}" in report and split in report
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Slides (.pptx)").click()
    with zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes())) as slides:
        assert sum(part.startswith("ppt/slides/slide") for part in slides.namelist()) >= 5
