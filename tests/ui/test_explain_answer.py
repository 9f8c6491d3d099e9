"""What the Explain page says of its maps: over many faces, and on the face that it shows."""

import numpy as np
import pytest

from fervt.explain import SOURCES, Faithfulness
from fervt.regions import REGIONS
from fervt.ui.explain.answer import say_agreement, say_trust
from fervt.ui.explain.faithfulness import say_best

SHARES = np.array([0.0, 0.5, 1.0])


def measured(deletion: dict[str, float], insertion: dict[str, float]) -> Faithfulness:
    """Curves by their middle; random orders' are 0.4 and 0.6."""
    curves = [
        {key: np.array([1.0, middle, 0.0])[::step] for key, middle in side.items()}
        for side, step in ((deletion, 1), (insertion, -1))
    ]
    chance = np.array([[1.0, 0.4, 0.0], [1.0, 0.6, 0.0]])
    return Faithfulness(SHARES, *curves, chance, chance[:, ::-1])


def over(low: float, high: float = 0.2) -> dict[str, list[float]]:
    return {"deletion_interval_95": [low, 0.3], "insertion_interval_95": [-0.2, high]}


@pytest.mark.parametrize(
    ("deletion", "insertion", "said"),
    [
        ((0.0, 0.1), (0.8, 1.0), "On this face, occlusion does best in deletion and GWA in "),
        ((0.1, 0.0), (0.8, 1.0), "On this face, GWA does best in deletion and insertion."),
        ((0.4, 0.5), (0.5, 0.6), "On this face, none of them does clearly better than random "),
    ],
)
def test_the_best_map_of_a_face_is_the_one_that_was_measured_so(deletion, insertion, said):
    keys = "occlusion", "gwa"
    found = measured(*(dict(zip(keys, side, strict=True)) for side in (deletion, insertion)))
    assert say_best(found).startswith(said)


def test_an_average_over_faces_decides_nothing_on_one_of_them():
    gains = {"deletion_gain": 0.1, "insertion_gain": 0.1}
    row = {"verdict": "better than random", **gains, "over_mean_map": over(-0.1)}
    table = {"faces": 200, "split": "PublicTest", "sources": {"gwa": row, "grad_cam": row}}
    table["sources"]["occlusion"] = row | {"deletion_gain": 0.2, "insertion_gain": 0.2}
    said = say_trust(table)
    assert "occlusion, which hides cells itself, by the widest margin; " in said
    assert said.endswith("; none beats a single map shared by all faces.")
    table["sources"]["occlusion"] |= {"over_mean_map": over(0.01)}
    assert say_trust(table).endswith("; only occlusion beats a single map shared by all faces.")
    row["over_mean_map"] = over(0.02, high=-0.1)  # better in one of two, and worse in the other
    assert "; only occlusion beats" in say_trust(table)
    row["over_mean_map"] = over(0.02)
    assert say_trust(table).endswith("; each beats a single map shared by all faces.")


def test_two_maps_can_be_the_best_one_by_hiding_and_one_by_revealing():
    row = {"verdict": "better than random", "over_mean_map": over(0.1)}
    gwa = row | {"deletion_gain": 0.1, "insertion_gain": 0.2}
    sources = {"occlusion": row | {"deletion_gain": 0.2, "insertion_gain": 0.1}}
    table = {"faces": 200, "split": "PublicTest", "sources": sources}
    sources["gwa"] = gwa | {"insertion_interval_95": [0.15, 0.25]}
    assert "by the widest margin when they are hidden, GWA when they are rev" in say_trust(table)
    sources["gwa"] = gwa | {"insertion_interval_95": [0.05, 0.35]}  # no more than chance
    assert "by the widest margin when they are hidden; each beats" in say_trust(table)


def test_gwa_is_introduced_by_its_long_name():
    map_ = np.zeros((7, 7), np.float32)
    map_[5, 3] = 1
    said = say_agreement({"gwa": map_}, {"mouth": 0.3, "eyes": 0.0})
    assert said == "Grid-wise attention (GWA) points to the mouth as well."


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        (("brows", "mouth", "mouth"), "Graph attention and Grad-CAM point to the mouth instead."),
        (("mouth",) * 3, "Grid-wise attention (GWA), graph attention and Grad-CAM point to the m"),
        (("mouth", "mouth", "chin"), "attention to the mouth, Grad-CAM to the chin."),
        (("brows", "brows", "mouth"), "Grad-CAM points to the mouth instead."),
    ],
)
def test_a_region_to_which_several_maps_point_is_named_once(regions, said):
    maps = {key: np.zeros((7, 7)) for key in ("gwa", "gat", "grad_cam")}
    for map_, region in zip(maps.values(), regions, strict=True):
        for cell in REGIONS[region]:
            map_[cell] = 1
    sentences = say_agreement(maps, {"brows": 0.3, "mouth": 0.1})
    assert said in sentences
    assert sentences.count("the mouth") == 1


def test_a_map_has_one_name():
    titles = [source.title for source in SOURCES.values()]
    assert titles == ["GWA", "Graph attention", "Grad-CAM", "Occlusion"]
    inline = [source.inline for source in SOURCES.values()]
    assert inline == ["GWA", "graph attention", "Grad-CAM", "occlusion"]
