"""A tiny model for all, and one that answers as it is told."""

import pytest
from tiny import save_tiny

from fervt.predict import Predictor


@pytest.fixture(scope="session")
def predictor(tmp_path_factory) -> Predictor:
    return Predictor(save_tiny(tmp_path_factory.mktemp("live"), seed=1))
