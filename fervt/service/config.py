"""The operator's settings, with defaults that are safe on an open network."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fervt.errors import ConfigError
from fervt.faces import SEARCH_SIDE_PX
from fervt.options import option

# A request that arrives slowly occupies a thread, see `server.Worker`. Threads start when needed.
_SPARE_THREADS = 128


@dataclass(frozen=True)
class ServiceConfig:
    """Limits of one worker process: two workers together allow twice as much.

    Attributes:
        api_key: Who calls must know it; "" lets everyone in. Never shown in `repr`.
        sources: Cameras and video files that `/v1/stream` may show, by name.

    Raises:
        ConfigError: A value is outside its range.
    """

    max_body_mb: int = option(10, "largest request body in megabytes")
    max_megapixels: int = option(12, "largest image in megapixels, at most 25")
    max_images: int = option(16, "images in one request")
    max_faces: int = option(10, "faces answered per image, the largest first")
    max_in_flight: int = option(6, "requests processed at a time")
    max_waiting: int = option(24, "requests that may wait 0.25 s to be processed; others get a 503")
    max_sockets: int = option(8, "open browser pages (WebSockets)")
    max_viewers: int = option(8, "viewers of the sources")
    max_rate: int = option(50, "requests per second and client, twice that in a burst; 0: no limit")
    max_batch: int = option(16, "faces in one forward pass; 1 never batches")
    search_side_px: int = option(
        SEARCH_SIDE_PX,
        "images with more pixels than a 4:3 one with this long side are scaled down to find faces",
    )
    read_timeout_s: int = option(10, "seconds in which a request must arrive")
    idle_timeout_s: int = option(60, "seconds after which an idle browser page is disconnected")
    proxies: int = option(0, "reverse proxies in front whose X-Forwarded headers are trusted")
    api_key: str = field(default="", repr=False)
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            if item.type is int:
                value = getattr(self, item.name)
                lowest = 0 if item.name in ("max_rate", "max_waiting", "proxies") else 1
                if type(value) is not int or not lowest <= value <= 100_000:
                    raise ConfigError(
                        f"{item.name} must be a whole number from {lowest} to 100000."
                    )
        if self.max_megapixels > 25:
            raise ConfigError("max_megapixels must be at most 25.")
        if self.search_side_px < 64:
            raise ConfigError("search_side_px must be at least 64.")
        if not self.api_key.isascii() or any(c.isspace() for c in self.api_key):
            raise ConfigError("The API key must be ASCII without spaces.")

    @property
    def threads(self) -> int:
        """Threads that a worker needs so that none of its limits blocks an answer."""
        working = self.max_in_flight + self.max_waiting
        return working + self.max_sockets + self.max_viewers + _SPARE_THREADS
