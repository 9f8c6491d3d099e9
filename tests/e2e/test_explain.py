"""The linked evidence in a real browser: a click in one view is read in the others."""

import re

from pages_in_browser import settle
from playwright.sync_api import Page, expect

WAIT_MS = 120_000


def open_explain(page: Page, app_server: str, parameters: str = "") -> None:
    page.goto(f"{app_server}/explain?image=astronaut{parameters}")
    expect(page.get_by_role("grid", name="Grad-CAM")).to_be_visible(timeout=WAIT_MS)
    if "view=" in parameters:
        expect(page.get_by_text("evidence of all panels in")).to_be_visible(timeout=WAIT_MS)
    settle(page)
    page.wait_for_timeout(1000)  # charts take their places, and what is below them moves


def click_cell(page: Page, chart: str, row: int, column: int) -> None:
    """Clicks the middle of a cell in a chart of the grid."""
    plot = page.locator(f"[class*='st-key-{chart}_'] .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    side = min(box["width"], box["height"])
    page.mouse.click(box["x"] + (column + 0.5) / 7 * side, box["y"] + (row + 0.5) / 7 * side)


def cell(page: Page, title: str, row: int, column: int):
    """A cell of one of the maps on the first screen."""
    grid = page.get_by_role("grid", name=title)
    return grid.get_by_role("gridcell", name=f"(row {row}, column {column})")


def test_a_cell_is_marked_in_all_maps_and_read_in_words(browser_page, app_server):
    page = browser_page
    open_explain(page, app_server)
    cell(page, "Occlusion", 5, 3).click()
    for title in ("Occlusion", "GWA", "Graph attention", "Grad-CAM"):
        expect(cell(page, title, 5, 3)).to_have_attribute("aria-selected", "true")
    page.wait_for_url(re.compile(r"cell=5(,|%2C)3"))
    page.mouse.move(0, 0)
    expect(page.get_by_text(re.compile(r"^Mouth \(row 5, column 3\): hiding it "))).to_be_visible()
    cell(page, "Grad-CAM", 5, 3).click()
    expect(cell(page, "Occlusion", 5, 3)).to_have_attribute("aria-selected", "false")
    page.wait_for_function("!location.search.includes('cell')")


def test_cells_are_reached_by_arrow_keys(browser_page, app_server):
    page = browser_page
    open_explain(page, app_server)
    cell(page, "Occlusion", 3, 3).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.get_by_text(re.compile(r"^Mouth \(row 5, column 2\): "))).to_be_visible()
    page.keyboard.press("Enter")
    expect(cell(page, "Graph attention", 5, 2)).to_have_attribute("aria-selected", "true")
    page.wait_for_url(re.compile(r"cell=5(,|%2C)2"))


def test_the_graph_starts_with_its_strongest_edges(browser_page, app_server):
    page = browser_page
    open_explain(page, app_server)
    arrows = page.locator("svg.arrows g")
    expect(arrows).to_have_count(10)
    cell(page, "Graph attention", 3, 3).click()
    expect(arrows).to_have_count(8)
    page.get_by_role("button", name="Show all 168").click()
    expect(arrows).to_have_count(168)


def test_a_click_in_the_graph_is_read_in_the_other_panels(browser_page, app_server):
    open_explain(browser_page, app_server, "&view=Evidence")
    expect(browser_page.get_by_text("Click a cell")).to_be_visible()
    click_cell(browser_page, "graph", 5, 2)
    expect(browser_page.get_by_text("Cell: row 5, column 2")).to_be_visible(timeout=WAIT_MS)
    assert re.search(r"cell=5(,|%2C)2", browser_page.url)
    ranks = browser_page.get_by_text(re.compile(r"^rank \d+ of 49$"))
    expect(ranks).to_have_count(4)
    # Marked on the face, too: the outline's two lines.
    outline = browser_page.locator("[class*='st-key-overlay_'] .shapelayer path")
    expect(outline).to_have_count(2)

    # Another view, another cell, then the first one again.
    click_cell(browser_page, "overlay", 1, 4)
    expect(browser_page.get_by_text("Cell: row 1, column 4")).to_be_visible(timeout=WAIT_MS)
    click_cell(browser_page, "graph", 5, 2)
    expect(browser_page.get_by_text("Cell: row 5, column 2")).to_be_visible(timeout=WAIT_MS)

    browser_page.get_by_role("tab", name="Pipeline").click()
    outline = browser_page.locator("[class*='st-key-stage_gwa_'] .shapelayer path")
    expect(outline).to_have_count(2, timeout=WAIT_MS)


def test_a_question_mark_opens_the_term_and_its_link_stays_in_this_tab(browser_page, app_server):
    page = browser_page
    open_explain(page, app_server)
    mark, link = (
        page.get_by_role("button", name="What is GWA?"),
        page.get_by_role("link", name="More in the glossary"),
    )
    mark.click()
    expect(page.get_by_text("Grid-wise attention (GWA): How strongly")).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    mark.click()
    link.click()
    page.wait_for_url(re.compile(r"/glossary\?.*term=gwa"))
    expect(page.get_by_role("heading", name="Grid-wise attention (GWA)")).to_be_visible(
        timeout=WAIT_MS
    )
    assert len(page.context.pages) == 1


def test_measuring_can_be_stopped(browser_page, app_server):
    open_explain(browser_page, app_server, "&view=Is+it+faithful%3F")
    precision = browser_page.get_by_role("combobox", name="Precision")
    precision.scroll_into_view_if_needed(timeout=WAIT_MS)
    browser_page.wait_for_timeout(500)  # scrolling closes an open list
    precision.click()
    browser_page.get_by_role("option", name="Exact: cell by cell").click()
    browser_page.get_by_role("button", name="Measure against").click()
    browser_page.get_by_test_id("stMain").get_by_role("button", name="Stop").click(timeout=WAIT_MS)
    expect(browser_page.get_by_role("progressbar")).to_have_count(0, timeout=WAIT_MS)
    expect(browser_page.get_by_text("Over many faces", exact=True)).to_be_visible()
    expect(browser_page.get_by_text("z counts the standard deviations")).to_have_count(0)
