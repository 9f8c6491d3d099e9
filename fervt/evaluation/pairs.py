"""Evidence and robustness of several checkpoints on the same faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fervt.errors import DataError
from fervt.evaluation.atlas import Interval, maps_of, student_interval
from fervt.evaluation.comparison import Joined
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.groups import FEWEST_TO_JUDGE
from fervt.evaluation.robustness import CorruptionError, Point, Robustness, corruption_error, curves
from fervt.evaluation.rows import translate
from fervt.labels import Vocabulary

_NO_CLASS = 100  # neither a label nor "not measured"


def joined_maps(
    joined: Joined, evidence: Sequence[Evidence], source: str
) -> list[NDArray[np.float32]]:
    """One source's maps (M, 49) of each of K checkpoints, on their M joined rows.

    Args:
        joined: K evaluations.
        evidence: Of each.
        source: A key that all of them have.
    """
    return [
        maps_of(found, source, rows.table.index.to_numpy())
        for rows, found in zip(joined.rows, evidence, strict=True)
    ]


def joined_edges(joined: Joined, evidence: Sequence[Evidence]) -> list[NDArray[np.float32]] | None:
    """Attention (M, E) along the graph's edges of each of K checkpoints, on their M joined rows.

    None if one of them has no graph.
    """
    found = []
    for rows, each in zip(joined.rows, evidence, strict=True):
        if each.edges is None:
            return None
        found.append(each.edges.attention(rows.table.index.to_numpy()))
    return found


@dataclass(frozen=True, eq=False)
class JoinedRobustness:
    """K checkpoints on the same n corrupted faces, with the same truth.

    Attributes:
        n: Faces that all of them were measured on.
        curves: K, points by kind of corruption; kinds that all have measured.
        errors: K; None if a condition is missing.
        right_shares: K, (n,): of the conditions, in how many each face was read rightly, 0..1.
    """

    n: int
    curves: tuple[dict[str, list[Point]], ...]
    errors: tuple[CorruptionError | None, ...]
    right_shares: tuple[NDArray[np.float64], ...]

    @property
    def gain_of_second(self) -> Interval | None:
        """How much more often the second is right than the first; None of too few faces."""
        if self.n < FEWEST_TO_JUDGE:
            return None
        gains = self.right_shares[1] - self.right_shares[0]
        return student_interval(gains.mean(), gains.var(ddof=1), self.n)


def join_robustness(
    joined: Joined, found: Sequence[Robustness], vocabularies: Sequence[Vocabulary]
) -> JoinedRobustness:
    """Keeps the sampled faces that all checkpoints have.

    A class that not all of them know counts as a wrong answer.

    Args:
        joined: K evaluations.
        found: What was measured of each.
        vocabularies: The classes of each.

    Raises:
        DataError: They have no face in common.
    """
    places = []
    for rows, each in zip(joined.rows, found, strict=True):
        place = np.full(int(max(rows.table.index.max(), each.positions.max())) + 1, -1)
        place[rows.table.index.to_numpy()] = np.arange(len(rows))
        places.append(place[each.positions])
    common = set.intersection(*(set(p[p >= 0].tolist()) for p in places))
    if not common:
        raise DataError("The checkpoints were measured on different faces.")
    chosen = np.array(sorted(common))
    truth = joined.rows[0].labels[chosen]
    every, errors, shares = [], [], []
    for place, each, vocabulary in zip(places, found, vocabularies, strict=True):
        at = np.empty(int(place.max()) + 1, np.int64)
        at[place[place >= 0]] = np.flatnonzero(place >= 0)
        columns = at[chosen]
        table = translate(np.arange(len(vocabulary)), vocabulary, joined.rows[0].classes)

        answers = np.where(table < 0, _NO_CLASS, table).astype(np.int8)
        predicted = each.predicted[:, columns]
        kept = replace(
            each,
            positions=each.positions[columns],
            predicted=np.where(predicted < 0, predicted, answers[predicted]).astype(np.int8),
            confidence=each.confidence[:, columns],
        )
        every.append(curves(kept, truth))
        errors.append(corruption_error(kept, truth))
        shares.append((kept.predicted[1:] == truth).mean(axis=0))
    kinds = [kind for kind in every[0] if all(kind in other for other in every)]
    by_kind = tuple({kind: each[kind] for kind in kinds} for each in every)
    return JoinedRobustness(len(chosen), by_kind, tuple(errors), tuple(shares))
