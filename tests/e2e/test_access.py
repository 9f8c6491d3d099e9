"""What axe-core finds on the pages, in both themes, and on a phone's screen."""

import pytest
from accessibility import serious_findings
from pages_in_browser import settle
from playwright.sync_api import expect

SLOW_MS = 120_000
VIEWS = {
    "home": "",
    "predict": "predict",
    "predict-many": "predict?way=many",
    "explain": "explain?image=group&cell=5,3",
    "explain-depths": "explain?image=astronaut&view=Tokens",
    "live": "live",
    "live-film": "live?source=video",
    "evaluation": "evaluation",
    "evaluation-map": "evaluation?view=Map",
    "evaluation-where": "evaluation?view=Where+it+looks",
    "compare": "compare",
    "compare-classes": "compare?view=Classes",
    "model-card": "model_card",
    "glossary": "glossary",
}


def open_view(page, app_server: str, view: str) -> None:
    page.goto(f"{app_server}/{VIEWS[view]}")
    expect(page.get_by_text("not felt emotions").last).to_be_visible(timeout=SLOW_MS)
    settle(page)
    page.wait_for_timeout(800)  # what is drawn once more, like charts


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(app_server, launch_chromium, theme):
    page = launch_chromium().new_page(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    found = []
    for view in VIEWS:
        open_view(page, app_server, view)
        found += serious_findings(page, view)
    assert not found, "\n".join(found)


def test_nothing_scrolls_sideways_on_a_phone_and_the_answer_is_on_its_first_screen(
    app_server, launch_chromium
):
    page = launch_chromium().new_page(viewport={"width": 390, "height": 844})
    wide = []
    for view in VIEWS:
        open_view(page, app_server, view)
        main = page.get_by_test_id("stMain")
        if main.evaluate("one => one.scrollWidth > one.clientWidth"):
            wide.append(view)
        if view in ("home", "predict", "explain"):
            answer = main.get_by_role("heading", level=2).first.bounding_box()
            assert answer["y"] + answer["height"] < 844, view
    assert not wide
