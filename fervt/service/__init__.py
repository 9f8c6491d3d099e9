"""FERVT-GNN over HTTP, for programs and kiosks: a Flask application that gunicorn serves."""

from typing import TYPE_CHECKING

from fervt.service.config import ServiceConfig

if TYPE_CHECKING:
    from flask import Flask

    from fervt.predict import Predictor

__all__ = ["ServiceConfig", "create_app"]


def create_app(
    predictor: "Predictor | None" = None, config: ServiceConfig | None = None
) -> "Flask":
    """Makes the service; its model warms up in the background.

    Args:
        predictor: None loads the flagship checkpoint.
        config: Limits and sources; None for the defaults.

    Returns:
        A WSGI application. `app.extensions["fervt"]` is its `Service`.

    Raises:
        CheckpointError: There is no checkpoint, or it cannot be loaded.
    """
    # Not above: `fervt serve` must set the metrics folder before Prometheus is imported.
    from fervt.service.app import build_app

    return build_app(predictor, config or ServiceConfig())
