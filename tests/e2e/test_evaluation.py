"""Reports in a real browser: a click on a confusion cell, and the file that needs no network."""

import pytest
from pages_in_browser import settle
from playwright.sync_api import expect
from synthetic import save_evaluation

from fervt.checkpoint import shipped_checkpoints
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.store import EvaluationStore
from fervt.reports.evaluation import build_report

TIMEOUT_MS = 120_000


def test_a_click_on_a_cell_shows_its_faces(app_server, browser_page) -> None:
    name = next(iter(shipped_checkpoints()))
    split, metrics = next(iter(EvaluationStore().metrics(name).items()))
    count = metrics.standard.confusion[2][4]
    browser_page.set_default_timeout(TIMEOUT_MS)
    browser_page.goto(f"{app_server}/evaluation?checkpoint={name}&split={split}")
    cells = browser_page.locator(".js-plotly-plot path.point")
    cells.nth(48).wait_for(state="attached")
    settle(browser_page)
    cells.nth(2 * 7 + 4).scroll_into_view_if_needed()
    box = cells.nth(2 * 7 + 4).bounding_box()
    browser_page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    browser_page.wait_for_url(lambda url: "label=fear" in url and "predicted=sad" in url)
    heading = browser_page.get_by_text(f"{count:,} faces labeled Fearful, taken for Sad")
    heading.wait_for()
    expect(heading).to_be_in_viewport(timeout=TIMEOUT_MS)
    expect(browser_page.get_by_text("appear here once you add FER2013")).to_be_in_viewport()
    browser_page.reload()  # the address alone shows the same
    browser_page.get_by_text(f"{count:,} faces labeled Fearful, taken for Sad").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_opens_without_a_network(launch_chromium, tmp_path, scheme: str) -> None:
    pair = [
        read_evaluation(save_evaluation(tmp_path / name, name, seed=i))
        for i, name in enumerate(("alpha", "beta"))
    ]
    path = tmp_path / "report.html"
    path.write_text(build_report(pair[0], against=pair[1]))
    context = launch_chromium().new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.goto(path.as_uri(), timeout=TIMEOUT_MS)
    page.wait_for_function("document.querySelectorAll('.main-svg').length > 6", timeout=TIMEOUT_MS)
    assert not problems
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tick = page.locator(".ytick text").first
    ink = tick.evaluate("e => getComputedStyle(e).fill")
    assert ink == ("rgb(231, 232, 243)" if scheme == "dark" else "rgb(30, 32, 51)")
    assert len(page.pdf()) > 50_000
