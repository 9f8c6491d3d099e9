"""How often a checkpoint is right, on a prepared file or on your own labeled pictures."""

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import pandas as pd

from fervt import predict
from fervt.api.atlas import (
    Atlas,
    By,
    RobustnessResult,
    make_atlas,
    make_robustness,
    slices_table,
)
from fervt.data.archive import MAX_IMAGES, MAX_UNPACKED_BYTES
from fervt.data.folders import list_images
from fervt.data.prepared import PreparedData, count_splits, read_prepared
from fervt.errors import ConfigError, DataError
from fervt.evaluation.averaging import Averaging
from fervt.evaluation.evidence import Evidence
from fervt.evaluation.measuring import measure_evidence, measure_five_crop, measure_robustness
from fervt.evaluation.robustness import SAMPLE
from fervt.evaluation.run import with_labels
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.sources import Evaluated, evaluate_archive, evaluate_prepared
from fervt.metrics import Scores
from fervt.progress import Progress, no_progress

_OWN_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False, repr=False)
class EvaluationResult:
    """The figures of one evaluation, without averaging: `scores` has the averaged ones.

    Attributes:
        checkpoint: The checkpoint's name.
        split: What it was evaluated on.
        n: Faces that were scored.
        accuracy: Share of them that were right, 0..1.
        accuracy_interval_95: Its 95% interval, low and high.
        macro_f1: Mean of the classes' F1 scores, 0..1.
        notes: What was left out, in sentences.
        saved: The evaluation in full, as reports and pages read it.

    Example:
        >>> import fervt, pathlib, tempfile
        >>> from PIL import Image
        >>> from skimage import data
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     happy = pathlib.Path(folder) / "faces" / "happy"
        ...     happy.mkdir(parents=True)
        ...     Image.fromarray(data.astronaut()[66:163, 177:274]).save(happy / "one.png")
        ...     result = fervt.evaluate(fervt.load(), happy.parent)
        >>> result
        <fervt.EvaluationResult: fervt-wide on faces: accuracy 100.0% (20.7% to 100.0%), n = 1>
        >>> result.notes
        ('Each image was read whole, as one face.',)
        >>> list(result.to_pandas().columns[:4])
        ['file', 'label', 'predicted', 'right']
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [path.name for path in result.save(folder)]
        ['predictions.parquet', 'tta.parquet', 'embeddings.npz', 'metrics.json']

    The following are measured on first use and kept with the result:

        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name, left in (("happy", 177), ("sad", 190)):
        ...         place = pathlib.Path(folder) / name
        ...         place.mkdir()
        ...         for shift in range(4):
        ...             face = data.astronaut()[66:163, left + shift : left + shift + 97]
        ...             Image.fromarray(face).save(place / f"{shift}.png")
        ...     result = fervt.evaluate(fervt.load(), folder)
        >>> atlas = result.atlas(by="label")
        >>> atlas.maps["gwa"]["happy"].shape
        (7, 7)
        >>> result.slices()["by"].unique().tolist()
        ['brightness', 'contrast', 'sharpness', 'tilt', 'confidence']
        >>> result.robustness(sample=8).n
        8
        >>> result.scores("five-crop").n
        8
    """

    checkpoint: str
    split: str
    n: int
    accuracy: float
    accuracy_interval_95: tuple[float, float]
    macro_f1: float
    notes: tuple[str, ...]
    saved: SavedEvaluation
    _names: dict[int, str]
    _model: predict.Predictor
    _read_faces: Callable[[], PreparedData]

    def to_pandas(self) -> pd.DataFrame:
        """A table with one row per face.

        Returns:
            The columns `file` ("" where faces have no names), `label`, `predicted`, `right`, and a
            column with the calibrated probability of each class.
        """
        rows = self.saved.rows()
        names = pd.Series(rows.classes)
        table = pd.DataFrame(
            {
                "file": [self._names.get(int(row), "") for row in rows.table["row"]],
                "label": names[rows.labels].to_numpy(),
                "predicted": names[rows.predicted].to_numpy(),
                "right": rows.right,
            }
        )
        shares = pd.DataFrame(rows.calibrated, columns=list(rows.classes))
        return pd.concat([table, shares], axis=1)

    def scores(self, averaging: Averaging = "none", *, progress: Progress = no_progress) -> Scores:
        """All figures, by what each answer is averaged over.

        Args:
            averaging: "none"; "flip", the face and its mirror image; or "five-crop", five windows
                of the face (its center and its four corners), none mirrored.
            progress: As for `evaluate`; five crops are measured on first use.

        Returns:
            `n`, `accuracy`, `accuracy_interval_95`, `macro_f1`, `nll_calibrated` (the log loss),
            `ece_calibrated`, `per_class`, `confusion` and more.

        Raises:
            ConfigError: There is no such averaging, or the checkpoint reads the whole face, so
                that five crops of it would all be the same.
        """
        if averaging == "five-crop" and self.saved.five_crop() is None:
            self.saved.keep(measure_five_crop(progress, self._model, self._read_faces()))
        return self.saved.rows(averaging=averaging).scores

    def atlas(
        self, by: By = "label", *, occlusion: bool = False, progress: Progress = no_progress
    ) -> Atlas:
        """Where the model looks, on average over groups of faces.

        Args:
            by: "label", "prediction" or "right".
            occlusion: Also hide each of the 49 cells in turn: 49 more passes of the network.
            progress: As for `evaluate`.

        Raises:
            ConfigError: There is no such grouping.
            DataError: No group has two faces.
        """
        evidence = self._evidence(occlusion, progress)
        return make_atlas(evidence, self.saved.rows(), by)

    def slices(self, *, progress: Progress = no_progress) -> pd.DataFrame:
        """Accuracy by measures of the picture, the five worst slices first.

        The worst ones are searched among slices of 30 faces or more, and their p-values and
        intervals account for all that were tried.

        Args:
            progress: As for `evaluate`.

        Returns:
            The columns `by`, `slice`, `n`, `accuracy`, `low`, `high` and `p_corrected`.
        """
        return slices_table(self._evidence(False, progress), self.saved.rows())

    def robustness(
        self, sample: int = SAMPLE, *, progress: Progress = no_progress
    ) -> RobustnessResult:
        """Accuracy on corrupted pictures: ten kinds of corruption, five strengths each.

        Args:
            sample: How many faces, drawn by label.
            progress: As for `evaluate`.

        Raises:
            DataError: The sample has no face.
        """
        found = self.saved.robustness()
        labels = self.saved.plain["label"].to_numpy()
        if found is None or not found.is_whole or len(found) != min(sample, len(labels)):
            found = measure_robustness(progress, self._model, self._read_faces(), labels, sample)
            self.saved.keep(found)
        return make_robustness(found, labels[found.positions])

    def _evidence(self, occlusion: bool, progress: Progress) -> Evidence:
        found = self.saved.evidence()
        if found is None or (occlusion and "occlusion" not in found.maps):
            labels = self.saved.plain["label"].to_numpy()
            data = self._read_faces()
            found = measure_evidence(progress, self._model, data, labels, occlusion)
            self.saved.keep(found)
        return found

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Writes the saved evaluation's files into a folder, which `fervt report` reads.

        Either all of them replace what is there, or none does. Measurements of other predictions
        in the folder are removed.

        Args:
            folder: Created if it is missing.

        Raises:
            DataError: The folder cannot be written to.
        """
        place = Path(folder)
        try:
            return self.saved.write(place)
        except OSError as error:
            raise DataError(f"'{place}' cannot be written to: {error.strerror}.") from error

    def __repr__(self) -> str:
        low, high = self.accuracy_interval_95
        return (
            f"<fervt.EvaluationResult: {self.checkpoint} on {self.split}: accuracy "
            f"{self.accuracy:.1%} ({low:.1%} to {high:.1%}), n = {self.n:,}>"
        )


def evaluate(
    model: predict.Predictor,
    source: str | os.PathLike[str],
    *,
    split: str | None = None,
    find_faces: bool = False,
    progress: Progress = no_progress,
) -> EvaluationResult:
    """Evaluates a model on a prepared file, or on pictures in folders named after expressions.

    Args:
        model: A model from `fervt.load`.
        source: A file written by `fervt prepare`; or a folder or zip file of pictures, whose
            nearest folder named after an expression is their label.
        split: For a prepared file "Training", "PublicTest" or "PrivateTest" (the default). For
            pictures "train", "validation" or "test", as their folders are named; None takes all.
        find_faces: Crop the largest face from each picture; otherwise each is one face. Not for
            prepared files, which contain faces.
        progress: Called with the share that is done, 0..1, and a sentence.

    Raises:
        DataError: The source cannot be used, or contains nothing that could be scored.
        ConfigError: The model, or the split for this kind of source, is invalid.

    Example:
        >>> import fervt, pathlib, tempfile
        >>> from PIL import Image
        >>> from skimage import data
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     happy = pathlib.Path(folder) / "happy"
        ...     happy.mkdir()
        ...     Image.fromarray(data.astronaut()).save(happy / "astronaut.png")
        ...     result = fervt.evaluate(fervt.load(), folder, find_faces=True)
        >>> result.n, result.accuracy
        (1, 1.0)
        >>> result.to_pandas()[["file", "label", "predicted"]].to_dict("records")
        [{'file': 'happy/astronaut.png', 'label': 'happy', 'predicted': 'happy'}]
    """
    if not isinstance(model, predict.Predictor):
        raise ConfigError(
            f"The model must come from fervt.load(), not be a {type(model).__name__}."
        )
    if not isinstance(source, str | os.PathLike):
        raise DataError(f"The source must be a path, not {type(source).__name__}.")
    place = Path(source)
    if not os.path.exists(place):  # also False for a text that could not be a path
        raise DataError(f"There is no file or folder '{place!s:.200}'.")
    if place.is_dir() or zipfile.is_zipfile(place):
        if split not in (None, *_OWN_SPLITS):
            raise ConfigError(f"A split of pictures is {', '.join(_OWN_SPLITS)} or None.")
        content = _pack(place) if place.is_dir() else _read(place)
        name = f"{place.resolve().name}"
        found = evaluate_archive(progress, model, content, name, split, find_faces)
        read_faces = partial(_faces_of, found)
    else:
        if find_faces:
            raise ConfigError("A prepared file contains faces: find_faces is for pictures.")
        wanted = split or "PrivateTest"
        known = count_splits(place)
        if wanted not in known:
            raise DataError(f"{place} has no {wanted} rows; it has {', '.join(known)}.")
        found = evaluate_prepared(progress, model, place, wanted)
        read_faces = partial(_faces_in, place, wanted, found)
    return _result(found, model, read_faces)


def _faces_of(found: Evaluated) -> PreparedData:
    assert found.faces is not None
    return found.faces


def _faces_in(place: Path, split: str, found: Evaluated) -> PreparedData:
    """The rows of a prepared file that were scored, read again: they may be large."""
    data, _, _ = with_labels(found.info, read_prepared(place, (split,)))
    if data.sha256.tolist() != found.evaluation.plain["image_sha256"].tolist():
        raise DataError(f"{place} contains other faces than when it was evaluated.")
    return data


def _result(
    found: Evaluated, model: predict.Predictor, read_faces: Callable[[], PreparedData]
) -> EvaluationResult:
    saved = found.evaluation
    scores = saved.rows().scores
    return EvaluationResult(
        checkpoint=saved.name,
        split=saved.split,
        n=scores.n,
        accuracy=scores.accuracy,
        accuracy_interval_95=scores.accuracy_interval_95,
        macro_f1=scores.macro_f1,
        notes=found.notes,
        saved=saved,
        _names=found.names,
        _model=model,
        _read_faces=read_faces,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from error


def _pack(folder: Path) -> bytes:
    """A folder's pictures as a zip file in memory, so that both pass the same checks."""
    images, others = list_images(folder)
    if len(images) > MAX_IMAGES:
        raise DataError(
            f"'{folder}' contains {len(images):,} images; up to {MAX_IMAGES:,} can be read."
        )
    if sum(path.stat().st_size for path in images) > MAX_UNPACKED_BYTES:
        raise DataError(f"'{folder}' contains more than {MAX_UNPACKED_BYTES / 1e9:g} GB of images.")
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        # For other files only the name, so that the note says what is left out.
        for paths, read in ((images, _read), (others, lambda _: b"")):
            for path in paths:
                name = path.relative_to(folder).as_posix().encode(errors="replace").decode()
                archive.writestr(zipfile.ZipInfo(name), read(path))  # whatever the file's date
    return content.getvalue()
