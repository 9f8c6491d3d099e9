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
    """A fixed number of slots; a request that finds none free may wait briefly for one.

    Args:
        count: The number of slots.
        full: The message when none is free.
        waiting: How many may wait.
        wait_s: How long, in seconds.
    """

    def __init__(self, count: int, full: str, waiting: int = 0, wait_s: float = 0.25) -> None:
        self._free = threading.Semaphore(count)
        self._queue = threading.Semaphore(waiting)
        self._full = full
        self._wait_s = wait_s

    @contextmanager
    def take(self) -> Iterator[None]:
        """Holds a slot; may first wait for one.

        Raises:
            Problem: 503, none is free.
        """
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def acquire(self) -> None:
        """Like `take`, for callers that cannot release in the same block."""
        if not (self._free.acquire(blocking=False) or self._wait()):
            raise Problem(503, self._full, {"Retry-After": "1"})

    def release(self) -> None:
        """Frees the slot."""
        self._free.release()

    def _wait(self) -> bool:
        if not self._queue.acquire(blocking=False):
            return False
        try:
            return self._free.acquire(timeout=self._wait_s)
        finally:
            self._queue.release()


class RateLimit:
    """A token bucket per client: `per_s` requests per second, twice that in a burst.

    Args:
        per_s: 0 sets no limit.
        clock: Returns seconds; replaced in tests.
    """

    MAX_CLIENTS = 10_000  # beyond this, the least recently seen is dropped, to its advantage

    def __init__(self, per_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str) -> None:
        """Counts a request.

        Raises:
            Problem: 429, the client is over the limit.
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
            detail = f"More than {self._per_s} requests per second."
            raise Problem(429, detail, {"Retry-After": "1"})


def check_key(authorization: str, key: str) -> None:
    """Accepts the key as a Bearer token or as the password of Basic authentication.

    Browsers prompt for the latter themselves, and send it with the WebSocket too.

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
