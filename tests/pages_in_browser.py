"""What tests wait for in a browser before they act on a page."""

READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def settle(page) -> None:
    """Waits for the page's run to end: before that, a click or a file that is given is lost."""
    page.wait_for_selector(READY)


def where_it_stays(page, element) -> dict[str, float]:
    """The bounding box of an element, once it no longer moves."""
    before, box = None, element.bounding_box()
    while box != before:
        page.wait_for_timeout(300)
        before, box = box, element.bounding_box()
    return box


def settle_later(page) -> None:
    """As `settle`, of a page whose run is about to begin."""
    page.wait_for_timeout(1000)
    settle(page)
