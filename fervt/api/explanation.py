"""Why a face got its prediction, as arrays on the one 7x7 grid."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt import explain as evidence
from fervt.api.cards import explanation_card
from fervt.errors import ConfigError, DataError
from fervt.figures.maps import Map, plot_maps
from fervt.predict import Predictor, to_face
from fervt.reports.explanation import bundle_files, write_bundle

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """All evidence for one prediction; what the checkpoint does not have is None.

    Row 0 of each map is at the top of the face, as in `model_input`.

    Attributes:
        target: The class that is explained.
        against: The class that it is contrasted with, None for none.
        occlusion: (7, 7) float32. How much the target's probability falls when the cell is hidden;
            below 0 it rises. In a contrast: how much its lead over the other class falls.
        grad_cam: (7, 7) float32, at least 0. How much the cell pushes the target's logit up, in
            logits (Selvaraju et al., 2017), resampled to the grid by area.
        gwa: (7, 7) float32, at least 0, mean 1: the weights of grid-wise attention. The same for
            every target.
        graph: (7, 7) float32, mean 1: the graph attention that leaves each cell, over layers and
            heads. The same for every target.
        graph_attention: (L, E, H) float32 by graph layer, edge and head; sums to 1 over the edges
            into each target node.
        edge_index: (2, E) int64, rows source and target; node = 7 * row + column.

    Example:
        >>> import fervt
        >>> from skimage import data
        >>> why = fervt.load()(data.astronaut())[0].explain(target="happy")
        >>> why
        <fervt.Explanation: happy, by gwa, graph, grad_cam, occlusion>
        >>> why.gwa.shape, why.graph.shape, why.edge_index.shape
        ((7, 7), (7, 7), (2, 217))
        >>> round(float(why.gwa.mean()), 3)
        1.0
    """

    target: str
    against: str | None
    occlusion: Array
    grad_cam: Array
    gwa: Array | None
    graph: Array | None
    graph_attention: Array | None
    edge_index: NDArray[np.int64] | None
    _predictor: Predictor
    _found: evidence.Explanation
    _crop: NDArray[np.uint8]

    def plot(self) -> go.Figure:
        """The maps over the face, side by side.

        Example:
            >>> import fervt
            >>> from skimage import data
            >>> figure = fervt.load()(data.astronaut())[0].explain().plot()
            >>> [title.text for title in figure.layout.annotations]
            ['GWA', 'Graph attention', 'Grad-CAM', 'Occlusion']
        """
        shown = [(evidence.SOURCES[key], values) for key, values in self._maps().items()]
        panels = [Map(s.title, s.unit, v, s.signed, s.neutral) for s, v in shown]
        return plot_maps(self._seen(), panels)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Writes a self-contained page, the pictures and all arrays into a folder.

        Args:
            folder: Created if it is missing.

        Returns:
            The files, `explanation.html` among them.

        Raises:
            DataError: The folder cannot be written to.

        Example:
            >>> import fervt, tempfile
            >>> from skimage import data
            >>> why = fervt.load()(data.astronaut())[0].explain()
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     sorted(path.name for path in why.save(folder))[:2]
            ['arrays.npz', 'explanation.html']
        """
        place = Path(folder)
        files = bundle_files(self._predictor, self._found, self._target, self._crop)
        try:
            write_bundle(place, files)
        except OSError as error:
            raise DataError(f"'{place}' cannot be written to: {error.strerror}.") from error
        return [place / name for name in files]

    @property
    def _target(self) -> evidence.Target:
        return evidence.Target.named(self._predictor.classes, self.target, self.against)

    def _maps(self) -> dict[str, Array]:
        return self._found.maps(self._target)

    def _seen(self) -> NDArray[np.uint8]:
        return evidence.seen_part(self._crop, self._predictor.info.preprocess.crop)

    def __repr__(self) -> str:
        known = [
            n for n in ("gwa", "graph", "grad_cam", "occlusion") if getattr(self, n) is not None
        ]
        contrast = f", not {self.against}" if self.against else ""
        return f"<fervt.Explanation: {self.target}{contrast}, by {', '.join(known)}>"

    def _repr_html_(self) -> str:
        title = f"Why {self._target.describe(self._predictor.classes)}?"
        return explanation_card(title, self._seen(), self._maps())


def explain(
    predictor: Predictor, crop_rgb: NDArray[np.uint8], target: str, against: str | None = None
) -> Explanation:
    """Explains a face's crop (h, h, 3) uint8 RGB; see `Face.explain`.

    Raises:
        ConfigError: A class is unknown, or both are the same.
    """
    for name in (target, against):
        if not isinstance(name, str | None):
            raise ConfigError(f"The name of a class must be a string, not {type(name).__name__}.")
    chosen = evidence.Target.named(predictor.classes, target, against)
    found = evidence.explain_face(predictor, to_face(crop_rgb))
    maps, trace = found.maps(chosen), found.trace
    return Explanation(
        target=target,
        against=against,
        occlusion=maps["occlusion"],
        grad_cam=maps["grad_cam"],
        gwa=maps.get("gwa"),
        graph=maps.get("gat"),
        graph_attention=trace.gat_attention,
        edge_index=trace.edge_index,
        _predictor=predictor,
        _found=found,
        _crop=crop_rgb,
    )
