"""What a page at the WebSocket may not do, without a network."""

import itertools

from fervt.service.live import MAX_WAITING, serve_page


class Page:
    """A socket on which everything has come already."""

    def __init__(self, messages) -> None:
        self.messages, self.read, self.closed = iter(messages), 0, ""

    def receive(self, timeout):
        self.read += 1
        return next(self.messages)

    def close(self, code, reason):
        self.closed = reason


def test_a_flood_of_words_is_ended(client):
    service = client.application.extensions["fervt"]
    page = Page(itertools.repeat('{"explain": []}', 100 * MAX_WAITING))
    serve_page(page, service)
    assert page.closed == "Too many messages at a time."
    assert page.read <= MAX_WAITING + 1
