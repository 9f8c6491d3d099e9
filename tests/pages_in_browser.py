"""What tests wait for in a browser before they act on a page."""

READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def settle(page) -> None:
    """Waits for the page's run to end: before that, a click or a file that is given is lost."""
    page.wait_for_selector(READY)
