"""One tiny model for all tests of the service, in this process and behind gunicorn."""

import pytest
import served
import tiny

from fervt.predict import Predictor
from fervt.service import ServiceConfig, create_app


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    return tiny.save_tiny(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def predictor(checkpoint):
    return Predictor(checkpoint)


@pytest.fixture
def make_client(predictor):
    """`make_client(max_faces=1, ...)` gives a test client; its app is `client.application`."""

    def make(**settings):
        app = create_app(predictor, ServiceConfig(**settings))
        assert app.extensions["fervt"].ready.wait(60)
        return app.test_client()

    return make


@pytest.fixture(scope="module")
def client(predictor):
    app = create_app(predictor, ServiceConfig(max_rate=0))
    assert app.extensions["fervt"].ready.wait(60)
    return app.test_client()


@pytest.fixture(scope="session")
def face_jpeg():
    return served.jpeg(served.face_image())
