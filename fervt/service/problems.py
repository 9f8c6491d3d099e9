"""Every error leaves as `application/problem+json` (RFC 9457): one sentence, never a traceback."""

import json
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, request
from gunicorn.http.errors import NoMoreData, ParseException
from simple_websocket import ConnectionError as HandshakeError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from wsproto.utilities import ProtocolError

from fervt.errors import FervtError

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An error response.

    Args:
        status: HTTP status, 400..599.
        detail: One sentence for the caller.
        headers: Additional headers, such as Retry-After.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}

    def as_json(self) -> dict[str, Any]:
        """The members of RFC 9457."""
        title = HTTPStatus(self.status).phrase
        return {"title": title, "status": self.status, "detail": self.detail}

    def as_response(self) -> Response:
        """The HTTP response."""
        body = json.dumps(self.as_json())
        return Response(body, self.status, self.headers, content_type=MEDIA_TYPE)


def handle_problems(app: Flask) -> None:
    """Turns every exception raised while a request is answered into a problem."""

    @app.errorhandler(Problem)
    def _problem(error: Problem) -> Response:
        return error.as_response()

    @app.errorhandler(FervtError)
    def _input(error: FervtError) -> Response:
        return Problem(422, str(error)).as_response()

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        detail = error.description or "The request cannot be answered."
        headers = {}
        if isinstance(error, RequestEntityTooLarge):
            limit_mb = (current_app.config["MAX_CONTENT_LENGTH"] or 0) // 1_000_000
            detail = f"The body is larger than {limit_mb} MB or has too many parts."
        if isinstance(error, MethodNotAllowed):
            headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return Problem(error.code or 500, detail, headers).as_response()

    @app.errorhandler(ProtocolError)
    @app.errorhandler(HandshakeError)
    def _handshake(error: Exception) -> Response:
        return Problem(400, "This is not a WebSocket handshake.").as_response()

    @app.errorhandler(ParseException)
    @app.errorhandler(NoMoreData)
    def _broken(error: Exception) -> Response:
        return Problem(400, "The body is not valid HTTP or ends early.").as_response()

    @app.errorhandler(Exception)
    def _bug(error: Exception) -> Response:
        current_app.logger.exception("%s %s failed", request.method, request.path)
        return Problem(500, "An internal error occurred and was logged.").as_response()
