"""The faces of a picture for researchers: by name, as a table, a figure, a card."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, overload

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt import predict
from fervt.amounts import percent
from fervt.api.cards import face_cards
from fervt.api.explanation import Explanation, explain
from fervt.faces import Box
from fervt.figures.faces import plot_faces
from fervt.figures.probabilities import plot_probabilities
from fervt.labels import expression

_SHOWN = 3  # faces that a short text names
_BARS_PX = 560


class Face:
    """The model's answer for one face. Made by calling a model, never by hand.

    Attributes:
        label: The most probable class, such as "happy".
        confidence: Its probability, 0..1.
        probabilities: By class, in the checkpoint's order; calibrated, summing to 1. Read-only.
        box_xyxy_px: The face's square in the picture: left, top, right, bottom in pixels. At
            the picture's edge it may reach beyond it.
        angle_deg: How far the head, and with it the square, is tilted clockwise; 0 for a face that
            is nearly upright.
        crop: (h, h, 3) uint8 RGB, the square, turned upright.
        model_input: (S, S, 3) uint8 RGB, exactly what the model saw.
        latency_ms: Its share of the forward pass.

    Example:
        >>> import fervt
        >>> from skimage import data
        >>> face = fervt.load()(data.astronaut())[0]
        >>> face
        <fervt.Face: happy 96% at (170, 65, 276, 171) px>
        >>> face.crop.shape, face.model_input.shape
        ((106, 106, 3), (42, 42, 3))
        >>> round(face.probabilities["happy"], 2)
        0.96
    """

    def __init__(self, predictor: predict.Predictor, prediction: predict.Prediction) -> None:
        self._predictor = predictor
        self._prediction = prediction
        self.label: str = prediction.label
        self.confidence: float = prediction.confidence
        values = zip(prediction.classes, prediction.probabilities.tolist(), strict=True)
        self.probabilities: Mapping[str, float] = MappingProxyType(dict(values))
        self.box_xyxy_px: Box = prediction.box_xyxy_px
        self.angle_deg: float = prediction.angle_deg
        self.crop: NDArray[np.uint8] = prediction.crop
        self.model_input: NDArray[np.uint8] = prediction.model_input
        self.latency_ms: float = prediction.latency_ms

    def explain(self, target: str | None = None, against: str | None = None) -> Explanation:
        """Explains the prediction with every kind of evidence.

        Args:
            target: The class to explain; the predicted one by default.
            against: A class to contrast it with: the evidence for the target and not for this one.

        Raises:
            ConfigError: A class is unknown, or both are the same.

        Example:
            >>> import fervt
            >>> from skimage import data
            >>> face = fervt.load()(data.astronaut())[0]
            >>> face.explain(target="happy", against="fear").occlusion.shape
            (7, 7)
            >>> face.explain("joy")
            Traceback (most recent call last):
            ...
            fervt.errors.ConfigError: 'joy' is not a class of FER2013; known: angry, disgust, ...
        """
        wanted = self.label if target is None else target
        return explain(self._predictor, self.crop, wanted, against)

    def to_dict(self) -> dict[str, Any]:
        """The face as plain data, ready for JSON; the keys are those of `fervt predict --json`.

        Example:
            >>> import fervt
            >>> from skimage import data
            >>> fervt.load()(data.astronaut())[0].to_dict()["box_xyxy_px"]
            [170, 65, 276, 171]
        """
        return predict.as_json(self._prediction)

    def plot(self) -> go.Figure:
        """The probabilities as bars, one per class.

        Example:
            >>> import fervt
            >>> from skimage import data
            >>> len(fervt.load()(data.astronaut())[0].plot().data[0].x)
            7
        """
        figure = plot_probabilities(self._prediction.probabilities, self._prediction.classes)
        return figure.update_layout(template="plotly_white", width=_BARS_PX)

    def __repr__(self) -> str:
        box = ", ".join(map(str, self.box_xyxy_px))
        return f"<fervt.Face: {self.label} {percent(self.confidence)} at ({box}) px>"

    def _repr_html_(self) -> str:
        return face_cards([self])


class Faces(Sequence[Face]):
    """The faces of one picture, the largest first.

    Attributes:
        image: (h, w, 3) uint8 RGB, the picture as it was read: upright, without transparency.
        name: The file's name; "" if it came without one.
        note: What is missing from the picture, in a sentence; "" if nothing is.

    Example:
        >>> import fervt
        >>> from skimage import data
        >>> faces = fervt.load()(data.astronaut())
        >>> len(faces), faces.image.shape
        (1, (512, 512, 3))
        >>> [face.label for face in faces]
        ['happy']
    """

    def __init__(
        self, faces: Sequence[Face], image: NDArray[np.uint8], name: str = "", note: str = ""
    ) -> None:
        self._faces = tuple(faces)
        self.image = image
        self.name = name
        self.note = note

    def __len__(self) -> int:
        return len(self._faces)

    @overload
    def __getitem__(self, index: int) -> Face: ...
    @overload
    def __getitem__(self, index: slice) -> "Faces": ...
    def __getitem__(self, index: int | slice) -> "Face | Faces":
        """One face by its number from 0, or some of them."""
        if isinstance(index, slice):
            return Faces(self._faces[index], self.image, self.name, self.note)
        return self._faces[index]

    def __iter__(self) -> Iterator[Face]:
        return iter(self._faces)

    def to_pandas(self) -> pd.DataFrame:
        """A table with one row per face.

        Returns:
            The columns `left`, `top`, `right`, `bottom` (pixels), `angle_deg`, `label`,
            `confidence`, and a column with the probability of each class. Without a face it has no
            rows, and no columns for classes.

        Example:
            >>> import fervt
            >>> from skimage import data
            >>> table = fervt.load()(data.astronaut()).to_pandas()
            >>> table[["left", "right", "label"]].to_dict("records")
            [{'left': 170, 'right': 276, 'label': 'happy'}]
        """
        start = ["left", "top", "right", "bottom", "angle_deg", "label", "confidence"]
        classes = list(self._faces[0].probabilities) if self._faces else []
        rows = [
            [
                *face.box_xyxy_px,
                face.angle_deg,
                face.label,
                face.confidence,
                *face.probabilities.values(),
            ]
            for face in self._faces
        ]
        return pd.DataFrame(rows, columns=[*start, *classes])

    def to_dict(self) -> dict[str, Any]:
        """The picture and its faces as plain data, ready for JSON.

        Example:
            >>> import fervt
            >>> from skimage import data
            >>> found = fervt.load()(data.astronaut()).to_dict()
            >>> found["width"], found["faces"][0]["label"]
            (512, 'happy')
        """
        height, width = self.image.shape[:2]
        faces = [face.to_dict() for face in self._faces]
        return {"file": self.name, "width": width, "height": height, "faces": faces}

    def plot(self) -> go.Figure:
        """The picture with the faces' boxes; hovering over one shows its probabilities.

        Example:
            >>> import fervt
            >>> from skimage import data
            >>> [box.name for box in fervt.load()(data.astronaut()).plot().data]
            ['Happy 96%']
        """
        looks = [expression(face.label) for face in self._faces]
        return plot_faces(
            self.image,
            [face.box_xyxy_px for face in self._faces],
            [f"{e.name} {percent(f.confidence)}" for e, f in zip(looks, self._faces, strict=True)],
            [_describe(face) for face in self._faces],
            [look.color for look in looks],
            [face.angle_deg for face in self._faces],
        )

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        place = f"'{self.name}' ({width} x {height} px)" if self.name else f"{width} x {height} px"
        named = [f"{face.label} {percent(face.confidence)}" for face in self._faces[:_SHOWN]]
        more = ", ..." if len(self) > _SHOWN else ""
        said = f": {', '.join(named)}{more}" if named else ""
        return f"<fervt.Faces: {len(self) or 'none'} in {place}{said}>"

    def _repr_html_(self) -> str:
        return face_cards(self._faces, self.image, self.name)


def _describe(face: Face) -> str:
    """The probabilities, the highest first, one per line."""
    ranked = sorted(face.probabilities.items(), key=lambda item: item[1], reverse=True)
    return "<br>".join(f"{expression(label).name} {share:.1%}" for label, share in ranked)
