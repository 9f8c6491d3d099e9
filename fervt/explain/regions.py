"""What each region of the face contributes to the prediction, measured by hiding it, in words.

A single cell rarely decides, since its neighbors show the same smile. So all cells of a region are
hidden together, which is what people mean by "without the mouth".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fervt.explain.grid import hide_cells
from fervt.explain.trace import Array
from fervt.grid import GRID
from fervt.predict import Predictor
from fervt.regions import REGIONS, region_sums

MATTERS = 0.05  # a smaller change is not worth a sentence
HARDLY = 0.02
_PLURAL = {"brows", "eyes", "cheeks", "surroundings"}


@dataclass(frozen=True, eq=False)
class RegionEffects:
    """The predictions for one face with one region hidden at a time.

    Attributes:
        plain: (C,) probabilities with nothing hidden.
        hidden: By region of `REGIONS`: (C,) probabilities without it.
    """

    plain: Array
    hidden: Mapping[str, Array]


def hide_regions(predictor: Predictor, face: NDArray[np.uint8]) -> RegionEffects:
    """Hides each region of a gray face (48, 48) uint8 in turn, all of them in one forward pass."""
    masks = torch.zeros(len(REGIONS) + 1, GRID, GRID)
    for number, cells in enumerate(REGIONS.values(), 1):
        for row, column in cells:
            masks[number, row, column] = 1
    found = predictor.classify_prepared(hide_cells(predictor.prepare(face[None]), masks))
    return RegionEffects(found[0], dict(zip(REGIONS, found[1:], strict=True)))


def strongest_region(values: Array) -> str:
    """The region whose cells have the highest mean in a map (7, 7)."""
    means = {name: total / len(REGIONS[name]) for name, total in region_sums(values).items()}
    return max(means, key=means.__getitem__)


def describe_drops(drops: Mapping[str, float]) -> str:
    """One sentence on what hiding each region costs.

    Args:
        drops: By region, how much the target's score falls, -1..1; below 0 it rises.
    """
    order = sorted(drops, key=drops.__getitem__, reverse=True)
    first, second = order[:2]
    if drops[first] < MATTERS:
        most = max(0, round(100 * drops[first]))
        sentence = (
            f"No single region decides: hiding any one of them costs at most {_points(most)}"
            if most
            else "No single region decides: hiding any one of them costs less than a point"
        )
    else:
        sentence = f"Hiding the {first} costs {_points(round(100 * drops[first]))}"
        if drops[second] >= max(MATTERS, drops[first] / 3):
            sentence += f", hiding the {second} {round(100 * drops[second])}"
        idle = [n for n in ("eyes", "brows", "mouth", "nose", "cheeks") if abs(drops[n]) < HARDLY]
        if idle:
            named = idle[:2]
            verb = "matter" if len(named) > 1 or named[0] in _PLURAL else "matters"
            sentence += f"; the {' and the '.join(named)} hardly {verb}"
    last = order[-1]
    if drops[last] <= -MATTERS:
        sentence += (
            f". Without the {last}, the answer would gain {_points(round(-100 * drops[last]))}"
        )
    return sentence + "."


def name_main_region(drops: Mapping[str, float]) -> str:
    """The same in a few words: "mostly the mouth"."""
    order = sorted(drops, key=drops.__getitem__, reverse=True)
    if drops[order[0]] < MATTERS:
        return "no single region decides"
    if drops[order[1]] >= drops[order[0]] / 2:
        return f"the {order[0]} and the {order[1]}"
    return f"mostly the {order[0]}"


def _points(count: int) -> str:
    return "1 point" if count == 1 else f"{count} points"
