"""A checkpoint that can be called on a picture in any form."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

from fervt import predict
from fervt.api.faces import Face, Faces
from fervt.checkpoint import find_checkpoint
from fervt.errors import CheckpointError, ConfigError, ImageError
from fervt.faces import Box
from fervt.images import Picture, read_photo, safe_name


class Predictor(predict.Predictor):
    """A checkpoint, ready to classify the faces in pictures. Thread-safe.

    `fervt.load` makes one. The pages, the command line and the service use the same
    class without `__call__`.

    Example:
        >>> import fervt
        >>> model = fervt.load()
        >>> model
        <fervt.Predictor fervt-wide: 7 classes of FER2013, on the cpu>
        >>> model.classes.classes
        ('angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral')
    """

    def __call__(
        self,
        picture: Picture,
        *,
        boxes: Sequence[Sequence[float]] | None = None,
        whole_image: bool = False,
    ) -> Faces:
        """Finds and classifies the faces in a picture.

        Args:
            picture: A path, a file's content, a PIL image or an (h, w, 3) uint8 RGB array.
            boxes: Where the faces are: left, top, right, bottom in pixels of the upright picture.
                None looks for them.
            whole_image: Take the picture as one face, instead of looking for faces.

        Returns:
            The faces, the largest first, or in the order of `boxes`; empty if there is none.

        Raises:
            ImageError: The picture cannot be used, or a box is outside it.
            ConfigError: Both `boxes` and `whole_image` are given.

        Example:
            >>> import fervt
            >>> from skimage import data
            >>> model = fervt.load()
            >>> model(data.astronaut())
            <fervt.Faces: 1 in 512 x 512 px: happy 96%>
            >>> model(data.astronaut(), boxes=[(177, 66, 274, 163)])[0].label
            'happy'
            >>> model(data.coffee())
            <fervt.Faces: none in 600 x 400 px>
            >>> model("gone.jpg")
            Traceback (most recent call last):
            ...
            fervt.errors.ImageError: 'gone.jpg' is not a file.
        """
        if whole_image and boxes is not None:
            raise ConfigError("Give either boxes or whole_image=True, not both.")
        photo = read_photo(picture)
        image = photo.rgb
        if whole_image:
            found = self.predict_whole(image)
        else:
            found = self.predict(image, None if boxes is None else _as_boxes(boxes))
        named = isinstance(picture, str | os.PathLike)
        name = safe_name(os.fspath(picture)) if named else ""  # type: ignore[arg-type]
        return Faces([Face(self, prediction) for prediction in found], image, name, photo.note)

    def __repr__(self) -> str:
        classes = f"{len(self.classes)} classes of {self.classes.title}"
        return f"<fervt.Predictor {self.name}: {classes}, on the {self.device}>"


def load(
    name_or_path: str | os.PathLike[str] | None = None, device: str = "auto", engine: str = "auto"
) -> Predictor:
    """Loads a checkpoint.

    Args:
        name_or_path: The name of a shipped checkpoint (`python -m fervt checkpoints` lists them),
            or a path to a file; None loads the flagship.
        device: "cpu", "cuda", "cuda:1" and so on; "auto" uses a GPU if there is one.
        engine: What classifies faces: "torch", "onnx", or "auto", which uses ONNX Runtime on a CPU
            if it is ready for this configuration: two to three times as fast for one face.

    Raises:
        CheckpointError: There is no such checkpoint, or it cannot be loaded.
        ConfigError: There is no such device or engine.

    Example:
        >>> import fervt
        >>> fervt.load("fervt-ferplus", device="cpu").classes.title
        'FER+'
        >>> fervt.load("nope")
        Traceback (most recent call last):
        ...
        fervt.errors.CheckpointError: There is no checkpoint 'nope'; shipped are: ...
    """
    if name_or_path is not None and not isinstance(name_or_path, str | os.PathLike):
        kind = type(name_or_path).__name__
        raise CheckpointError(f"The name of a checkpoint must be a string or a path, not {kind}.")
    name = None if name_or_path is None else os.fspath(name_or_path)
    return Predictor(Path(find_checkpoint(name)), device, engine)


def _as_boxes(boxes: Sequence[Sequence[float]]) -> list[Box]:
    try:
        return [_as_box(box) for box in boxes]
    except TypeError as error:
        raise ImageError(f"Boxes must be a list of boxes, not {type(boxes).__name__}.") from error


def _as_box(box: Sequence[float]) -> Box:
    try:
        left, top, right, bottom = (float(edge) for edge in box)
    except (TypeError, ValueError) as error:
        raise ImageError(
            f"A box is four pixel coordinates (left, top, right, bottom), not {box!r:.60}."
        ) from error
    if not all(math.isfinite(edge) for edge in (left, top, right, bottom)):
        raise ImageError(f"The box {box!r:.60} contains a number that is not finite.")
    return round(left), round(top), round(right), round(bottom)
