"""The Flask application: routes, and the hooks around every request."""

import logging
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, jsonify, render_template, request
from flask_sock import Sock
from werkzeug.middleware.proxy_fix import ProxyFix

from fervt import __version__
from fervt.checkpoint import find_checkpoint
from fervt.errors import ImageError
from fervt.labels import NOTICE, expression
from fervt.predict import Predictor
from fervt.service.config import ServiceConfig
from fervt.service.inputs import (
    MemoryRequest,
    decode,
    gather_body,
    read_bodies,
    read_detect,
    read_explain,
    unpack_body,
)
from fervt.service.limits import check_key
from fervt.service.live import serve_page
from fervt.service.openapi import describe_api
from fervt.service.problems import Problem, handle_problems
from fervt.service.service import Service

# For orchestrators that have no key; cheap enough to answer always.
_OPEN_PATHS = ("/healthz", "/readyz")

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def build_app(predictor: Predictor | None, config: ServiceConfig) -> Flask:
    """See `fervt.service.create_app`."""
    app = Flask("fervt.service", static_folder="static", template_folder="templates")
    app.request_class = MemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_mb * 1_000_000
    app.config["MAX_FORM_PARTS"] = config.max_images + 4
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": 25,
        "max_message_size": config.max_body_mb * 1_000_000,
    }
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.logger.setLevel(logging.INFO)
    if config.proxies:
        n = config.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=n, x_proto=n, x_host=n, x_prefix=n
        )
    service = Service(predictor or Predictor(find_checkpoint()), config)
    app.extensions["fervt"] = service
    handle_problems(app)
    _surround(app, service)
    _route_predictions(app, service)
    _route_descriptions(app, service)
    threading.Thread(target=service.warm_up, name="warm-up", daemon=True).start()
    return app


def _surround(app: Flask, service: Service) -> None:
    config = service.config

    @app.before_request
    def _before() -> None:
        g.started = time.perf_counter()
        if request.path in _OPEN_PATHS:
            return
        client = request.remote_addr or ""
        try:
            if config.api_key:
                check_key(request.headers.get("Authorization", ""), config.api_key)
        except Problem:
            service.guesses.check(client)  # counted separately, so guesses can't lock anyone out
            raise
        service.rate.check(client)
        if request.content_length and request.content_length > app.config["MAX_CONTENT_LENGTH"]:
            raise Problem(413, f"The body is larger than {config.max_body_mb} MB.")
        gather_body(app.config["MAX_CONTENT_LENGTH"])
        unpack_body(app.config["MAX_CONTENT_LENGTH"])

    @app.after_request
    def _after(response: Response) -> Response:
        response.headers.update(_HEADERS)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        rule = request.url_rule.rule if request.url_rule else "none"
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        service.metrics.count_answer(request.method, rule, response.status_code, seconds)
        return response


def _route_predictions(app: Flask, service: Service) -> None:
    config, responder = service.config, service.responder
    sock = Sock(app)

    @app.post("/v1/predict")
    def predict() -> Response:
        explain, detect = read_explain(), read_detect()
        found = read_bodies(many=False, config=config)
        with service.work.take():
            named = decode(found, config, detect)
            images = []
            for _, image in named:
                if isinstance(image, ImageError):
                    raise image
                images.append(image)
            answers = responder.answer([photo.rgb for photo in images], detect, explain)
        return _answer(
            [
                {"name": name, "note": photo.note} | answer
                for (name, _), photo, answer in zip(named, images, answers, strict=True)
            ]
        )

    @app.post("/v1/predict/batch")
    def predict_batch() -> Response:
        explain, detect = read_explain(), read_detect()
        found = read_bodies(many=True, config=config)
        with service.work.take():
            named = decode(found, config, detect)
            good = [photo.rgb for _, photo in named if not isinstance(photo, ImageError)]
            answers = iter(responder.answer(good, detect, explain))
        return _answer(
            [
                {"name": name, "problem": Problem(422, str(image)).as_json()}
                if isinstance(image, ImageError)
                else {"name": name, "note": image.note} | next(answers)
                for name, image in named
            ]
        )

    def _answer(images: list[dict[str, Any]]) -> Response:
        model = responder.predictor.name
        search = {"detector": responder.detector_name, "search_side_px": responder.search_side_px}
        return jsonify({"model": model, "notice": NOTICE, "images": images} | search)

    @app.get("/v1/stream")
    def stream() -> Response:
        return service.sources.stream(request.args.get("source", ""))

    @app.before_request
    def _same_origin() -> None:
        """Other sites' scripts can open WebSockets anywhere; browsers send their origin."""
        origin = request.headers.get("Origin")
        if request.path == "/v1/live" and origin and _host_of(origin) != request.host:
            raise Problem(403, "Pages on other sites may not connect.")

    @sock.route("/v1/live")
    def live(socket: Any) -> None:
        with suppress(OSError):  # the page left in the middle of a message
            serve_page(socket, service)


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # not an address
        return ""


def _route_descriptions(app: Flask, service: Service) -> None:
    config, responder = service.config, service.responder
    info = responder.predictor.info
    api = describe_api(config, responder.predictor.classes)

    @app.get("/")
    def page() -> str:
        return render_template("page.html", notice=NOTICE, sources=list(config.sources))

    @app.get("/docs")
    def docs() -> str:
        return render_template("docs.html", api=api, notice=NOTICE)

    @app.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(api)

    @app.get("/v1/model")
    def model() -> Response:
        shown = {c: expression(c) for c in info.config.classes.classes}
        return jsonify(
            {
                "name": responder.predictor.name,
                "engine": responder.predictor.engine.name,
                "description": info.description,
                "notice": NOTICE,
                "vocabulary": info.config.vocabulary,
                "labels_seen": list(info.labels_seen),
                "classes": [
                    {"label": c, "name": e.name, "color": e.color, "sign": e.sign}
                    for c, e in shown.items()
                ],
                "image_size_px": info.config.image_size,
                "grid": responder.describe_grid(),
                "sources": list(config.sources),
                "version": __version__,
            }
        )

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify({"status": "alive"})

    @app.get("/readyz")
    def readyz() -> Response:
        if not service.ready.is_set() or service.stopping.is_set():
            raise Problem(503, "The model is not ready.", {"Retry-After": "1"})
        return jsonify({"status": "ready"})

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(service.metrics.render(), content_type=service.metrics.content_type)
