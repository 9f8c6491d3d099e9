"""State shared by the routes of one worker: the model, the limits, the metrics."""

import threading

from fervt.predict import Predictor
from fervt.service.cameras import Sources
from fervt.service.config import ServiceConfig
from fervt.service.limits import RateLimit, Slots
from fervt.service.metrics import Metrics
from fervt.service.responder import Responder


class Service:
    """State shared by the routes of one worker.

    Attributes:
        stopping: Set when the worker is told to stop; pages and streams then end.
        ready: Set once the model is warm.
    """

    def __init__(self, predictor: Predictor, config: ServiceConfig) -> None:
        self.config = config
        self.metrics = Metrics()
        self.responder = Responder(predictor, config, self.metrics)
        self.stopping = threading.Event()
        self.ready = threading.Event()
        self.rate = RateLimit(config.max_rate)
        self.guesses = RateLimit(config.max_rate)  # of the API key
        self.work = Slots(
            config.max_in_flight, "Too many concurrent requests; try again.", config.max_waiting
        )
        self.sockets = Slots(config.max_sockets, "Too many open pages; try again later.")
        self.sources = Sources(config, self.responder, self.stopping)

    def warm_up(self) -> None:
        """Runs the model and the face detector once."""
        self.responder.warm_up()
        self.ready.set()
