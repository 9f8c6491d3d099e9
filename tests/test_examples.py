"""The pictures that everyone has."""

import numpy as np
import pytest

from fervt.errors import ImageError
from fervt.examples import EXAMPLES, load_example


def test_there_are_enough_and_each_is_different():
    assert EXAMPLES[0] == "astronaut" and len(EXAMPLES) >= 6
    assert len({load_example(name).tobytes() for name in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_rgb_read_only_and_drawn_once(name):
    image = load_example(name)
    shape = {"grace hopper": (600, 512, 3), "group": (512, 857, 3)}.get(name, (512, 512, 3))
    assert image.shape == shape and image.dtype == np.uint8
    assert image.flags.c_contiguous and not image.flags.writeable
    assert load_example(name) is image


def test_each_is_what_its_name_says():
    face = load_example("astronaut")[66:163, 177:274].astype(int)
    assert np.array_equal(load_example("mirrored")[:, ::-1], load_example("astronaut"))
    assert load_example("dark").mean() < load_example("astronaut").mean() / 2
    blurred = load_example("blurred")[66:163, 177:274].astype(int)
    assert np.abs(np.diff(blurred, axis=1)).mean() < np.abs(np.diff(face, axis=1)).mean() / 2
    for name in ("mouth hidden", "eye hidden"):
        changed = (load_example(name) != load_example("astronaut")).any(-1)
        assert 0.08 < changed[66:163, 177:274].mean() < 0.25
        assert changed.sum() == changed[66:].sum()


def test_an_unknown_name_is_one_sentence():
    with pytest.raises(ImageError, match="'cat' is not an example; known: astronaut"):
        load_example("cat")
