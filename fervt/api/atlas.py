"""Where a model looks on a whole test set, its worst slices, its robustness: for notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.errors import ConfigError, DataError
from fervt.evaluation.atlas import (
    ATLAS_SOURCES,
    MapSummary,
    describe_template,
    maps_of,
    summarize_maps,
)
from fervt.evaluation.corruptions import CORRUPTIONS, STRENGTHS
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.groups import LEAST
from fervt.evaluation.robustness import (
    CorruptionError,
    Point,
    Robustness,
    corruption_error,
    curves,
    describe_limits,
)
from fervt.evaluation.rows import Rows
from fervt.evaluation.slices import search_slices, slice_rows
from fervt.explain import seen_part
from fervt.figures.maps import Map, plot_maps
from fervt.figures.robustness import strength_figure
from fervt.grid import GRID
from fervt.regions import region_of, region_sums

By = Literal["label", "prediction", "right"]


@dataclass(frozen=True, eq=False, repr=False)
class Atlas:
    """Mean maps of groups of faces, for every source of evidence.

    Attributes:
        by: What the groups are of: "label", "prediction" or "right".
        sources: Names of the evidence: "gwa", "gat", "grad_cam", "occlusion".
        maps: By source, then by group, the (7, 7) mean map.
        spreads: The same, the (7, 7) standard deviation over faces.
        counts: Faces by group. Groups of fewer than two are left out.
    """

    by: str
    sources: tuple[str, ...]
    maps: dict[str, dict[str, NDArray[np.float64]]]
    spreads: dict[str, dict[str, NDArray[np.float64]]]
    counts: dict[str, int]
    _whole: dict[str, MapSummary]
    _face: NDArray[np.uint8]

    def template_share(self, source: str) -> float:
        """How much of a source's variance its mean map explains, 0..1; 1 is the same for everybody.

        Raises:
            ConfigError: There is no such source.
        """
        return self._of(source).template_share

    def to_pandas(self) -> pd.DataFrame:
        """A row for each source, group and cell, with its region, mean and spread over faces."""
        cells = [(row, column) for row in range(GRID) for column in range(GRID)]
        return pd.DataFrame(
            [
                {
                    "source": source,
                    self.by: group,
                    "n": self.counts[group],
                    "row": cell[0],
                    "column": cell[1],
                    "region": region_of(*cell),
                    "mean": mean[cell],
                    "spread": self.spreads[source][group][cell],
                }
                for source, groups in self.maps.items()
                for group, mean in groups.items()
                for cell in cells
            ]
        )

    def regions(self, source: str) -> pd.DataFrame:
        """Sums of a source's mean maps by region: one row per group, one column per region.

        Raises:
            ConfigError: There is no such source.
        """
        self._of(source)
        return pd.DataFrame({g: region_sums(m) for g, m in self.maps[source].items()}).T

    def plot(self, source: str | None = None) -> go.Figure:
        """Draws the groups' mean maps over the mean face, side by side.

        Args:
            source: One of `sources`; the first by default.

        Raises:
            ConfigError: There is no such source.
        """
        chosen = source or self.sources[0]
        self._of(chosen)
        about = ATLAS_SOURCES[chosen]
        panels = [
            Map(
                f"{group}, n = {self.counts[group]:,}",
                about.unit,
                values,
                about.signed,
                about.neutral,
            )
            for group, values in self.maps[chosen].items()
        ]
        return plot_maps(self._face, panels)

    def _of(self, source: str) -> MapSummary:
        if source not in self._whole:
            known = ", ".join(self._whole)
            raise ConfigError(f"There is no evidence '{source}' here; known: {known}.")
        return self._whole[source]

    def __repr__(self) -> str:
        said = " ".join(
            describe_template(ATLAS_SOURCES[s].inline, self._whole[s]) for s in self.sources
        )
        return f"<Atlas by {self.by}: {', '.join(self.counts)}. {said}>"


def make_atlas(evidence: Evidence, rows: Rows, by: str) -> Atlas:
    """Averages evidence by group.

    Args:
        evidence: Of the rows' evaluation.
        rows: Those that count.
        by: "label", "prediction" or "right".

    Raises:
        ConfigError: There is no such grouping.
        DataError: No group has two faces.
    """
    names = [*rows.classes]
    at = rows.table.index.to_numpy()
    groups: dict[str, NDArray[np.bool_]]
    if by == "label":
        groups = {name: rows.labels == i for i, name in enumerate(names)}
    elif by == "prediction":
        groups = {name: rows.predicted == i for i, name in enumerate(names)}
    elif by == "right":
        groups = {"right": rows.right, "wrong": ~rows.right}
    else:
        raise ConfigError(f"An atlas is by label, prediction or right, not by '{by}'.")
    kept = {name: mask for name, mask in groups.items() if mask.sum() >= LEAST}
    if not kept:
        raise DataError("An atlas needs a group of at least two faces.")
    maps = {source: maps_of(evidence, source, at) for source in evidence.maps}
    found = {
        source: {name: summarize_maps(values[mask]) for name, mask in kept.items()}
        for source, values in maps.items()
    }
    return Atlas(
        by,
        tuple(found),
        {s: {name: m.mean for name, m in each.items()} for s, each in found.items()},
        {s: {name: m.spread for name, m in each.items()} for s, each in found.items()},
        {name: int(mask.sum()) for name, mask in kept.items()},
        {source: summarize_maps(values) for source, values in maps.items()},
        seen_part(np.repeat(evidence.mean_face[:, :, None], 3, axis=2), evidence.crop),
    )


def slices_table(evidence: Evidence, rows: Rows) -> pd.DataFrame:
    """The five worst slices, then the bins of every measure.

    Returns:
        Columns `by` ("worst" or the measure), `slice`, `n`, `accuracy`, `low`, `high` and, for the
        worst, `p_corrected`.
    """
    at = rows.table.index.to_numpy()
    measures = {name: v[at].astype(np.float64) for name, v in evidence.measures.items()}
    found = [("worst", each) for each in search_slices(evidence, rows).slices]
    measures["confidence"] = rows.calibrated.max(axis=1).astype(np.float64)
    for name, values in measures.items():
        found += [(name, each) for each in slice_rows(name, values, rows.right)]
    return pd.DataFrame(
        [
            {
                "by": by,
                "slice": each.title,
                "n": each.n,
                "accuracy": each.accuracy,
                "low": each.low,
                "high": each.high,
                "p_corrected": each.p_value if by == "worst" else np.nan,
            }
            for by, each in found
        ],
        columns=["by", "slice", "n", "accuracy", "low", "high", "p_corrected"],
    )


@dataclass(frozen=True, eq=False, repr=False)
class RobustnessResult:
    """How well a model withstands ten kinds of corruption, five strengths each.

    Attributes:
        n: Faces.
        mean_corruption_error: Mean error over all kinds and strengths, 0..1.
        clean_error: Error on the same faces, uncorrupted, 0..1.
        limits: By kind, how far it holds and where it breaks, as a sentence.
    """

    n: int
    mean_corruption_error: float
    clean_error: float
    limits: dict[str, str]
    _curves: dict[str, list[Point]]

    def to_pandas(self) -> pd.DataFrame:
        """A row for each kind and strength, with accuracy, its interval, loss and calibration."""
        return pd.DataFrame(
            [
                {
                    "corruption": kind,
                    "level": point.level,
                    "strength": CORRUPTIONS[kind].tick(point.level),
                    "accuracy": point.accuracy,
                    "low": point.low,
                    "high": point.high,
                    "loss": point.loss,
                    "loss_low": point.loss_low,
                    "loss_high": point.loss_high,
                    "calibration_error": point.calibration_error,
                    "gwa_correlation": point.evidence,
                }
                for kind, points in self._curves.items()
                for point in points
            ]
        )

    def plot(self, kind: str) -> go.Figure:
        """Draws accuracy over the strength of one kind.

        Raises:
            ConfigError: There is no such kind.
        """
        if kind not in self._curves:
            known = ", ".join(self._curves)
            raise ConfigError(f"There is no corruption '{kind}'; known: {known}.")
        points = self._curves[kind]
        value, low, high = (
            np.array([getattr(p, key) for p in points]) for key in ("accuracy", "low", "high")
        )
        ticks = [CORRUPTIONS[kind].tick(level) for level in range(STRENGTHS + 1)]
        return strength_figure(ticks, {"accuracy": (value, low, high)}, height_px=320)

    def __repr__(self) -> str:
        return (
            f"<RobustnessResult: mean corruption error {self.mean_corruption_error:.1%}, clean "
            f"{self.clean_error:.1%}, n = {self.n:,}>"
        )


def make_robustness(
    found: Robustness, labels: Sequence[int] | NDArray[np.int64]
) -> RobustnessResult:
    """Turns measurements into a result for notebooks.

    Args:
        found: With all conditions measured.
        labels: Of its rows.
    """
    truth = np.asarray(labels)
    by_kind = curves(found, truth)
    error = corruption_error(found, truth)
    assert isinstance(error, CorruptionError)
    said = {kind: describe_limits(kind, points) for kind, points in by_kind.items()}
    return RobustnessResult(error.n, error.mean, error.clean, said, by_kind)
