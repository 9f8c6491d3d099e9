"""What tests wait for in a browser before they act on a page."""

READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def settle(page) -> None:
    """Waits for the page's run to end: before that, a click or a file that is given is lost."""
    page.wait_for_selector(READY)


def settle_later(page) -> None:
    """As `settle`, of a page whose run is about to begin."""
    page.wait_for_timeout(1000)
    settle(page)
