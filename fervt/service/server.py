"""gunicorn around the application: one model per worker, a thread pool, and a clean shutdown.

gunicorn has no setting for how long a request may take to arrive: its threaded worker would wait
for a slow client forever. This one disconnects such a client, and tells pages and streams when it
is stopped, so that shutdown is quick. nginx handles slow clients too, but `fervt serve` must not
depend on it.
"""

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers import gthread
from gunicorn.workers.gthread import TConn, ThreadWorker
from prometheus_client.multiprocess import mark_process_dead

from fervt.service.service import Service
from fervt.threads import limit_process

# A silent connection occupies a thread for this long; after that, waiting costs nothing. With
# gunicorn's own 5 s, 150 silent connections held up a health check for 20 s.
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 0.02


class Worker(ThreadWorker):
    """A threaded worker in which each request must arrive within the configured time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._started_at: dict[TConn, float] = {}  # of requests that have not arrived yet

    @property
    def _service(self) -> Service | None:
        return self.wsgi.extensions["fervt"] if self.wsgi else None

    def handle(self, conn: TConn) -> Any:
        """Reads and answers one request, watched by `murder_pending`."""
        self._started_at[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._started_at.pop(conn, None)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answers; a request without a body has fully arrived, so its connection may stay open."""
        if not any(name in ("CONTENT-LENGTH", "TRANSFER-ENCODING") for name, _ in req.headers):
            self._started_at.pop(conn, None)
        reusable = super().handle_request(req, conn)
        return self._finish_body(conn) and reusable

    def _finish_body(self, conn: TConn) -> bool:
        """Reads the rest of a refused body, for 2 s and up to twice the limit.

        Closing on unread bytes resets the connection, and a client that is still sending never sees
        the answer. Returns whether the body has ended.
        """
        service = self._service
        if service is None:
            return True
        limit = 2 * service.config.max_body_mb * 1_000_000
        with contextlib.suppress(Exception):  # a bad chunk: the request was answered already
            return bool(conn.parser.finish_body(time.monotonic() + 2, max_bytes=limit))
        return False

    def murder_pending(self) -> None:
        """Runs at least every second. Cuts off slow clients; responses can still be sent."""
        super().murder_pending()
        service = self._service
        if service is None:
            return
        oldest = time.monotonic() - service.config.read_timeout_s
        for conn, started in list(self._started_at.items()):
            if started < oldest:
                self._started_at.pop(conn, None)
                with contextlib.suppress(OSError):  # it may be closed already
                    conn.sock.shutdown(socket.SHUT_RD)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: ends pages and streams, finishes requests."""
        self._stop_endless()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGINT and SIGQUIT: ends at once, as soon as pages and streams have."""
        self._stop_endless()
        super().handle_quit(sig, frame)

    def _stop_endless(self) -> None:
        if service := self._service:
            service.stopping.set()


class Server(BaseApplication):
    """gunicorn without its command line and configuration files.

    Args:
        make_app: Called once in every worker.
        host: Address to listen on.
        port: TCP port.
        workers: Processes.
        threads: Request threads per worker.
        cores: Cores for computation per worker.
    """

    def __init__(
        self,
        make_app: Callable[[], Flask],
        host: str,
        port: int,
        workers: int,
        threads: int,
        cores: int,
    ) -> None:
        self._make_app = make_app
        self._cores = cores
        self._options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": workers,
            "threads": threads,
            "worker_class": Worker,
            "graceful_timeout": 15,
            "keepalive": 5,
            "control_socket_disable": True,
            "proc_name": "fervt",
            "child_exit": lambda server, worker: mark_process_dead(worker.pid),
        }
        super().__init__()

    def load_config(self) -> None:
        """Sets gunicorn's options; called by its constructor."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Makes the application, in the worker, after the fork."""
        limit_process(self._cores)
        return self._make_app()
