"""Evaluating a visitor's images in a real browser: a zip goes in, the report comes out."""

import io
import zipfile
from pathlib import Path

import pytest
from pages_in_browser import settle, settle_later
from playwright.sync_api import expect
from zips import labeled_zip

from fervt.checkpoint import shipped_checkpoints
from fervt.evaluation.saved import read_evaluation

SLOW_MS = 180_000
FACES = 21


@pytest.fixture
def page(browser_page, app_server):
    """The form for a zip, with the flagship."""
    browser_page.set_default_timeout(SLOW_MS)
    expect.set_options(timeout=SLOW_MS)
    name = next(iter(shipped_checkpoints()))
    browser_page.goto(f"{app_server}/evaluation?checkpoint={name}&source=data")
    settle(browser_page)
    return browser_page


def start(page) -> None:
    page.get_by_test_id("stMain").get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "mine.zip", "mimeType": "application/zip", "buffer": labeled_zip(FACES)}
    )
    page.get_by_text(f"{FACES} images, {FACES} of them labeled").wait_for()
    page.get_by_role("button", name="Evaluate fervt").click()
    page.get_by_role("progressbar").wait_for()


def faces_scored(page):
    return page.get_by_test_id("stMetric").filter(has_text="Faces")


@pytest.mark.job("evaluate")
def test_a_zip_becomes_a_report_that_a_reload_finds(page, tmp_path: Path) -> None:
    start(page)
    expect(faces_scored(page)).to_contain_text(str(FACES))
    assert "job=" in page.url
    page.reload()
    expect(faces_scored(page)).to_contain_text("mine.zip")
    expect(page.get_by_role("img").first).to_be_visible()  # the gallery

    settle_later(page)
    page.get_by_role("tab", name="Report").click()
    settle_later(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Evaluation (.zip)").click()
    with zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes())) as archive:
        archive.extractall(tmp_path / "unpacked")
    saved = read_evaluation(tmp_path / "unpacked")
    assert saved.split == "mine.zip"
    assert saved.rows().scores == saved.metrics.standard
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Report (.html)").click()
    report = waiting.value.path().read_text()
    assert f"{saved.metrics.standard.accuracy:.2%}" in report

    settle_later(page)
    page.get_by_role("tab", name="Map").click()
    settle_later(page)
    chart = page.locator(".st-key-face_map .js-plotly-plot")
    chart.locator(".nsewdrag").wait_for(state="attached")
    page.locator(".st-key-face_sheet img").wait_for(state="attached")
    box = chart.bounding_box()
    face = page.locator(".fervt-face")
    for x, y in page.evaluate(_PLACES_OF_POINTS):
        page.mouse.move(box["x"] + 5, box["y"] + 5)
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
        page.wait_for_timeout(500)
        if face.count():
            break
    assert face.evaluate("e => e.style.backgroundImage").startswith('url("http')
    assert 0 <= int(face.get_attribute("data-place")) < FACES

    page.get_by_role("button", name="Evaluate other data").click()
    expect(faces_scored(page)).to_have_count(0)
    assert "job=" not in page.url


def test_a_running_evaluation_can_be_cancelled(page) -> None:
    start(page)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled.").wait_for()
    expect(page.get_by_role("progressbar")).to_have_count(0)


_PLACES_OF_POINTS = """() => {
  const chart = document.querySelector(".st-key-face_map .js-plotly-plot");
  const {xaxis, yaxis} = chart._fullLayout;
  return chart._fullData.flatMap((trace) => Array.from(trace.x, (x, i) => [
    xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(trace.y[i])]));
}"""
