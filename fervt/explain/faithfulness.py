"""Is a map faithful? Hide or reveal cells in its order, and compare with random orders.

Deletion and insertion after Petsiuk et al. (2018). If a map ranks the cells that the model really
uses first, hiding them in that order makes the probability fall early (small area), and revealing
them on a gray square makes it rise early (large area). Evidence, not proof: a face with hidden
cells is unlike the faces the model was trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervt.explain.evidence import Target
from fervt.explain.grid import CELLS, hide_cells
from fervt.explain.trace import Array
from fervt.grid import GRID
from fervt.predict import Predictor


@dataclass(frozen=True)
class Score:
    """One source compared with random orders.

    Attributes:
        source: Key of the map.
        deletion_area: Mean score while hiding, lower is better.
        deletion_z: Random orders' mean minus it, in their standard deviations: above 0 is better
            than random. NaN where random orders don't differ.
        insertion_area: Mean score while revealing, higher is better.
        insertion_z: It minus random orders' mean, likewise.
    """

    source: str
    deletion_area: float
    deletion_z: float
    insertion_area: float
    insertion_z: float


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Curves of every source and of random orders; P points, R random orders.

    Attributes:
        shares: (P,), share of the cells that is hidden (deletion) or shown (insertion), 0..1.
        deletion: By source, (P,) scores of the target.
        insertion: By source, likewise.
        random_deletion: (R, P).
        random_insertion: (R, P).
    """

    shares: Array
    deletion: dict[str, Array]
    insertion: dict[str, Array]
    random_deletion: Array
    random_insertion: Array

    def area(self, curves: Array) -> Array:
        """Mean height (...,) under curves (..., P)."""
        return np.asarray(np.trapezoid(curves, self.shares, axis=-1))

    def scores(self) -> list[Score]:
        """One score per source."""
        deletion, insertion = self.area(self.random_deletion), self.area(self.random_insertion)
        return [
            Score(
                key,
                float(self.area(self.deletion[key])),
                -_z(float(self.area(self.deletion[key])), deletion),
                float(self.area(self.insertion[key])),
                _z(float(self.area(self.insertion[key])), insertion),
            )
            for key in self.deletion
        ]


def _z(value: float, chance: NDArray[np.floating]) -> float:
    spread = float(chance.std(ddof=1)) if len(chance) > 1 else 0.0
    return (value - float(chance.mean())) / spread if spread > 1e-9 else float("nan")


def measure_faithfulness(
    predictor: Predictor,
    face: NDArray[np.uint8],
    maps: dict[str, Array],
    target: Target,
    *,
    cells_per_step: int = 7,
    random_orders: int = 20,
    seed: int = 0,
    progress: Callable[[float], object] = lambda share: None,
) -> Faithfulness:
    """Measures every map against random cell orders.

    Args:
        predictor: The model and its calibration.
        face: (48, 48) uint8 gray.
        maps: (7, 7) maps by name; the largest value comes first, ties in random order.
        target: Whose score is followed.
        cells_per_step: Cells hidden between two points, 1..49; 1 is exact and slow.
        random_orders: Number of random orders.
        seed: Of these orders and of ties.
        progress: Called with the share done, 0..1; may raise in order to stop.
    """
    rng = np.random.default_rng(seed)
    steps = np.unique(np.append(np.arange(0, CELLS, cells_per_step), CELLS))
    orders = [_order(values, rng) for values in maps.values()]
    orders += [rng.permutation(CELLS) for _ in range(random_orders)]
    image = predictor.prepare(face[None])
    none_and_all = hide_cells(image, _masks([0, CELLS], orders[0], image))
    ends = target.score(predictor.classify_prepared(none_and_all))
    deletion, insertion = [], []
    for done, order in enumerate(orders):
        progress(done / len(orders))
        hidden = _masks(steps[1:-1], order, image)
        both = hide_cells(image, torch.cat([hidden, 1 - hidden]))
        while_hiding, while_showing = np.split(target.score(predictor.classify_prepared(both)), 2)
        deletion.append(np.r_[ends[0], while_hiding, ends[1]])
        insertion.append(np.r_[ends[1], while_showing, ends[0]])
    progress(1.0)
    known = len(maps)
    return Faithfulness(
        (steps / CELLS).astype(np.float32),
        dict(zip(maps, deletion, strict=False)),
        dict(zip(maps, insertion, strict=False)),
        np.array(deletion[known:], np.float32).reshape(-1, len(steps)),
        np.array(insertion[known:], np.float32).reshape(-1, len(steps)),
    )


def _order(values: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.lexsort((rng.random(CELLS), -values.ravel()))


def _masks(counts: NDArray[np.int64] | list[int], order: NDArray[np.int64], like: Tensor) -> Tensor:
    """Masks (K, 7, 7) that hide the first cells of an order, by count."""
    place = np.empty(CELLS, np.int64)
    place[order] = np.arange(CELLS)
    hidden = place[None] < np.asarray(counts)[:, None]
    return torch.from_numpy(hidden.reshape(-1, GRID, GRID).astype(np.float32)).to(like.device)
