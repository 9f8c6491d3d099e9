"""All evidence for one face in one object, and its sources side by side on the grid."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fervt.errors import ConfigError
from fervt.explain.ablation import PartEffect, ablate_parts
from fervt.explain.attention import cell_attention, edge_attention
from fervt.explain.grad_cam import class_maps, grad_cam
from fervt.explain.occlusion import occlude
from fervt.explain.trace import Array, Trace, trace_of
from fervt.grid import GRID
from fervt.labels import Vocabulary, expression
from fervt.predict import Predictor
from fervt.threads import one_thread


@dataclass(frozen=True)
class Source:
    """One kind of evidence.

    Attributes:
        title: Its display name.
        unit: What its numbers are, for a color bar.
        meaning: A one-line explanation.
        signed: Whether values below 0 mean evidence against.
        neutral: The value of an average or indifferent cell.
    """

    title: str
    unit: str
    meaning: str
    signed: bool
    neutral: float

    @property
    def inline(self) -> str:
        """The title within a sentence: "occlusion", but "GWA" and "Grad-CAM"."""
        return self.title.lower() if self.title == self.title.capitalize() else self.title


SOURCES: dict[str, Source] = {
    "gwa": Source(
        "GWA",
        "× average",
        "How strongly grid-wise attention (GWA) weights a cell; the average cell is 1.",
        False,
        1.0,
    ),
    "gat": Source(
        "Graph attention",
        "× average",
        "How much attention a cell gets from itself and its neighbors; the average cell is 1.",
        False,
        1.0,
    ),
    "grad_cam": Source(
        "Grad-CAM",
        "logits",
        "How much a cell of the backbone's last map pushes the target's logit up.",
        False,
        0.0,
    ),
    "occlusion": Source(
        "Occlusion",
        "drop in probability",
        "How much the target's probability falls when the cell is hidden; below 0 it rises. "
        "For a target contrasted with another: how much its lead falls.",
        True,
        0.0,
    ),
}


@dataclass(frozen=True)
class Target:
    """What is being explained: a class, or the difference between two classes.

    Attributes:
        index: The class.
        against: The class it is compared with; None for none.
    """

    index: int
    against: int | None = None

    @classmethod
    def named(cls, vocabulary: Vocabulary, label: str, against: str | None = None) -> "Target":
        """Looks class labels up.

        Raises:
            ConfigError: A label is not in the vocabulary, or both are the same.
        """
        for name in (label, against):
            if name is not None and name not in vocabulary.classes:
                raise ConfigError(
                    f"'{name}' is not a class of {vocabulary.title}; "
                    f"known: {', '.join(vocabulary.classes)}."
                )
        if label == against:
            raise ConfigError(f"'{label}' cannot be contrasted with itself.")
        index = vocabulary.classes.index
        return cls(index(label), None if against is None else index(against))

    def score(self, probabilities: NDArray[np.floating]) -> Array:
        """The target's probability (...,) from (..., C); minus the other's in a contrast."""
        score = probabilities[..., self.index]
        if self.against is not None:
            score = score - probabilities[..., self.against]
        return score

    def describe(self, vocabulary: Vocabulary) -> str:
        """The display name: "Fearful" or "Fearful, not Surprised"."""
        name = expression(vocabulary.classes[self.index]).name
        if self.against is None:
            return name
        return f"{name}, not {expression(vocabulary.classes[self.against]).name}"

    def describe_score(self, vocabulary: Vocabulary) -> str:
        """What `score` is, in words: "probability of Fearful minus that of Surprised"."""
        score = f"probability of {expression(vocabulary.classes[self.index]).name}"
        if self.against is None:
            return score
        return f"{score} minus that of {expression(vocabulary.classes[self.against]).name}"

    @property
    def unit(self) -> str:
        """Of `score`."""
        return "probability" if self.against is None else "difference of probabilities"


@dataclass(frozen=True, eq=False)
class Explanation:
    """Everything that explains one face, for every possible target at once.

    Attributes:
        trace: Every stage of the model.
        hidden_probabilities: (7, 7, C), the prediction with that cell hidden.
        class_maps: (C, h, w), Grad-CAM's sums before the ReLU.
        parts: The prediction without each part.
    """

    trace: Trace
    hidden_probabilities: Array
    class_maps: Array
    parts: tuple[PartEffect, ...]

    @property
    def predicted(self) -> Target:
        """The most probable class."""
        return Target(int(self.trace.probabilities.argmax()))

    def maps(self, target: Target) -> dict[str, Array]:
        """One (7, 7) map a source that the checkpoint has, by key of `SOURCES`."""
        trace = self.trace
        found: dict[str, Array] = {}
        if trace.gwa_weights is not None:
            found["gwa"] = trace.gwa_weights
        if trace.gat_attention is not None and trace.edge_index is not None:
            found["gat"] = cell_attention(edge_attention(trace.gat_attention), trace.edge_index)
        found["grad_cam"] = grad_cam(self.class_maps, target.index, target.against)
        found["occlusion"] = target.score(trace.probabilities) - target.score(
            self.hidden_probabilities
        )
        return found


@one_thread()
def explain_face(predictor: Predictor, face: NDArray[np.uint8]) -> Explanation:
    """Explains a gray face (48, 48) uint8: a few calls of the model, 49 hidden cells in one."""
    image = predictor.prepare(face[None])
    output, maps = class_maps(predictor.network, image)
    return Explanation(
        trace=trace_of(predictor, face, image, output),
        hidden_probabilities=occlude(predictor, image),
        class_maps=maps,
        parts=ablate_parts(predictor, image),
    )


def rank_cells(values: Array) -> NDArray[np.int64]:
    """Ranks (7, 7), 1 for the largest value; equal values share the better rank."""
    ranks = pd.Series(values.ravel()).rank(ascending=False, method="min")
    return np.asarray(ranks, np.int64).reshape(values.shape)


def rank_correlations(maps: dict[str, Array]) -> Array:
    """Spearman's correlation (K, K), -1..1, between maps; NaN where one is constant."""
    table = pd.DataFrame({key: values.ravel() for key, values in maps.items()})
    return table.corr(method="spearman").to_numpy(np.float32)


@dataclass(frozen=True, eq=False)
class CellReading:
    """The value of one cell in every source.

    Attributes:
        cell: Row and column, 0-based, row 0 at the top.
        values: By source.
        ranks: By source, 1 is the strongest of 49.
        attention_in: By neighbor (row, column): this cell's attention to it. With the cell's own
            entry it sums to 1. Empty without a graph.
        attention_out: By neighbor: its attention to this cell.
    """

    cell: tuple[int, int]
    values: dict[str, float]
    ranks: dict[str, int]
    attention_in: dict[tuple[int, int], float]
    attention_out: dict[tuple[int, int], float]


def read_cell(
    explanation: Explanation, target: Target, cell: tuple[int, int], edges: Array | None = None
) -> CellReading:
    """Reads one cell in every source.

    Args:
        explanation: Of the face.
        target: What the values are about.
        cell: Row and column, 0..6.
        edges: (E,) attention to read the neighbors from; None for the mean of layers and heads.
    """
    maps = explanation.maps(target)
    into: dict[tuple[int, int], float] = {}
    out: dict[tuple[int, int], float] = {}
    trace = explanation.trace
    if trace.edge_index is not None and trace.gat_attention is not None:
        if edges is None:
            edges = edge_attention(trace.gat_attention)
        node = GRID * cell[0] + cell[1]
        for (source, goal), value in zip(trace.edge_index.T, edges, strict=True):
            if goal == node:
                into[divmod(int(source), GRID)] = float(value)
            if source == node:
                out[divmod(int(goal), GRID)] = float(value)
    return CellReading(
        cell,
        {key: float(values[cell]) for key, values in maps.items()},
        {key: int(rank_cells(values)[cell]) for key, values in maps.items()},
        into,
        out,
    )
