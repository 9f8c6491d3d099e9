"""Pages in a browser, which take as long as the machine needs."""

from playwright.sync_api import expect

expect.set_options(timeout=90_000)
