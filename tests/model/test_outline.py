"""The shapes of a model without its memory, and without what they once imported."""

import subprocess
import sys
from dataclasses import replace

import pytest

from fervt.model import FERVTGNN, FERVTConfig
from fervt.model.outline import outline


@pytest.mark.parametrize("change", [{}, {"use_gnn": False}, {"gwa_embedding": "convolutional"}])
def test_names_shapes_and_types_are_the_models(change):
    config = replace(FERVTConfig(stem="face", width=16), **change)

    def facts(model):
        return {name: (value.shape, value.dtype) for name, value in model.state_dict().items()}

    assert facts(outline(config)) == facts(FERVTGNN(config))


def test_nothing_has_memory():
    assert all(value.is_meta for value in outline(FERVTConfig(stem="face")).parameters())


def test_a_checkpoint_is_loaded_without_importing_the_compiler():
    """Importing it takes about a second."""
    code = "import sys, fervt; fervt.load(); print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
