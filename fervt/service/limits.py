"""Authentication, rate limits and concurrency limits, per worker."""

import base64
import binascii
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fervt.service.problems import Problem


class Slots:
    """A fixed number of slots; a request that finds none is rejected and never waits.

    Args:
        count: The places.
        full: The sentence for those who find none.
    """

    def __init__(self, count: int, full: str) -> None:
        self._free = threading.Semaphore(count)
        self._full = full

    @contextmanager
    def take(self) -> Iterator[None]:
        """Holds a place.

        Raises:
            Problem: 503, there is none.
        """
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def acquire(self) -> None:
        """As `take`, for those who cannot release in the same block."""
        if not self._free.acquire(blocking=False):
            raise Problem(503, self._full, {"Retry-After": "1"})

    def release(self) -> None:
        """Gives the place back."""
        self._free.release()


class RateLimit:
    """A token bucket a client: `per_s` requests a second, twice that in a burst.

    Args:
        per_s: 0 sets no limit.
        clock: Seconds, for tests.
    """

    MAX_CLIENTS = 10_000  # the one seen longest ago is forgotten, which only favors it

    def __init__(self, per_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str) -> None:
        """Counts a request.

        Raises:
            Problem: 429, the client has used up its share.
        """
        if not self._per_s:
            return
        now, burst = self._clock(), 2.0 * self._per_s
        with self._lock:
            tokens, seen = self._clients.pop(client, (burst, now))
            tokens = min(burst, tokens + (now - seen) * self._per_s)
            self._clients[client] = (tokens - 1 if tokens >= 1 else tokens, now)
            if len(self._clients) > self.MAX_CLIENTS:
                self._clients.popitem(last=False)
        if tokens < 1:
            raise Problem(429, f"More than {self._per_s} requests a second.", {"Retry-After": "1"})


def check_key(authorization: str, key: str) -> None:
    """Accepts the key as a Bearer token or as the password of Basic authentication.

    Browsers ask for the latter themselves, and send it along with the WebSocket too.

    Raises:
        Problem: 401, the key is missing or wrong.
    """
    scheme, _, value = authorization.partition(" ")
    given = value.strip().encode("latin-1", "replace")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).partition(b":")[2]
        except binascii.Error:
            given = b""
    elif scheme.lower() != "bearer":
        given = b""
    if not hmac.compare_digest(given, key.encode()):
        challenge = 'Basic realm="fervt", charset="UTF-8"'
        raise Problem(401, "This service needs its API key.", {"WWW-Authenticate": challenge})
