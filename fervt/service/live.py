"""The browser page's WebSocket: one frame in, one answer out, and the newest frame wins.

Binary messages are encoded frames, text messages are settings: `{"explain": ["gwa", "gat"]}`. Every
frame that is not dropped gets one answer. The page never has more than one frame in flight; if a
client sends faster, all but the newest are dropped, and a client that floods is disconnected.
"""

import json
import time
from typing import Any

from simple_websocket import Server

from fervt.errors import FervtError
from fervt.sandbox import read_photo
from fervt.service.problems import Problem
from fervt.service.responder import EXPLANATIONS
from fervt.service.service import Service

MAX_WAITING = 32  # queued messages: no camera is that fast
_LISTEN_S = 0.5

_GOING_AWAY, _POLICY, _TRY_LATER = 1001, 1008, 1013


def serve_page(socket: Server, service: Service) -> None:
    """Serves one page until it leaves, goes idle, floods, or the worker stops.

    Raises:
        ConnectionClosed: The page has left.
    """
    try:
        service.sockets.acquire()
    except Problem as problem:
        socket.receive(timeout=1)  # closing with unread data would lose the reason in transit
        socket.close(_TRY_LATER, problem.detail)
        return
    try:
        _answer_frames(socket, service)
    finally:
        service.sockets.release()


def _answer_frames(socket: Server, service: Service) -> None:
    explain: list[str] = []
    heard = time.monotonic()
    while not service.stopping.is_set():
        message = socket.receive(timeout=_LISTEN_S)
        if message is None:
            if time.monotonic() - heard > service.config.idle_timeout_s:
                socket.close(_POLICY, "The page sent nothing for too long.")
                return
            continue
        heard = time.monotonic()
        frame: bytes | None = None
        dropped = texts = 0
        while message is not None:
            if isinstance(message, str):
                texts += 1
                explain = _read_settings(message, explain)
            else:
                dropped += frame is not None
                frame = bytes(message)
            if max(dropped, texts) > MAX_WAITING:
                service.metrics.dropped.inc(dropped)
                socket.close(_POLICY, "Too many messages at a time.")
                return
            message = socket.receive(timeout=0)
        service.metrics.dropped.inc(dropped)
        if frame is not None:
            socket.send(json.dumps(_answer_frame(frame, explain, service), ensure_ascii=False))
    socket.close(_GOING_AWAY, "The service is stopping.")


def _answer_frame(frame: bytes, explain: list[str], service: Service) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        with service.work.take():
            photo = read_photo(frame, "frame", service.config.max_megapixels * 1_000_000)
            answer = service.responder.answer([photo.rgb], explain=explain, live=True)[0]
    except Problem as problem:
        return {"problem": problem.as_json()}
    except FervtError as error:
        return {"problem": Problem(422, str(error)).as_json()}
    service.metrics.frames.inc()
    return answer | {"server_ms": round(1000 * (time.perf_counter() - started), 1)}


def _read_settings(message: str, explain: list[str]) -> list[str]:
    """Unknown settings are ignored."""
    try:
        asked = json.loads(message)["explain"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return explain
    return [word for word in asked if word in EXPLANATIONS] if isinstance(asked, list) else explain
