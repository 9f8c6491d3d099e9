"""The saved evaluations of checkpoints, found by name, and what is known of the shipped ones."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from fervt import resources
from fervt.checkpoint import load_checkpoint, read_info, shipped_checkpoints
from fervt.errors import DataError
from fervt.evaluation.averaging import FILE as FIVE_CROP
from fervt.evaluation.metrics import FILE_NAME, Metrics, Part, read_metrics
from fervt.evaluation.saved import SavedEvaluation, read_evaluation
from fervt.files import file_sha256
from fervt.images import safe_name
from fervt.labels import SPLITS
from fervt.model.cost import count_gmac, count_parameters


@dataclass(frozen=True)
class EvaluationStore:
    """Saved evaluations in `root/CHECKPOINT/ANY_NAME/`; the shipped ones by default.

    An evaluation's metrics say what it is of: the innermost folder's name has no meaning.
    """

    root: Path = field(default_factory=lambda: resources.EVALUATIONS)

    def folders(self, name: str, sha256: str | None = None) -> dict[str, Path]:
        """The folders of a checkpoint's evaluations, by split, PrivateTest first.

        Those with a part switched off are left out.

        Args:
            name: The checkpoint's.
            sha256: Of its file, to leave out those of another file with this name.

        Raises:
            DataError: Metrics are damaged.
        """
        return {split: folder for split, (folder, _) in self._whole(name, sha256).items()}

    def metrics(self, name: str, sha256: str | None = None) -> dict[str, Metrics]:
        """The figures of the same evaluations as `folders`, in the same order.

        Raises:
            DataError: Metrics are damaged.
        """
        return {split: metrics for split, (_, metrics) in self._whole(name, sha256).items()}

    def ablations(self, name: str, split: str) -> dict[Part, Metrics]:
        """The figures of a checkpoint on a split with a part switched off, by that part.

        Raises:
            DataError: Metrics are damaged.
        """
        return {
            metrics.neutralized: metrics
            for _, metrics in self._each(name)
            if metrics.neutralized and metrics.data.split == split
        }

    def find(self, name_or_folder: str, split: str) -> SavedEvaluation:
        """Reads a checkpoint's evaluation on a split, or the one in a folder.

        Args:
            name_or_folder: A bare name is first looked up in the store.
            split: Of a checkpoint in the store.

        Raises:
            DataError: There is none, or it is damaged.
        """
        folder = Path(name_or_folder)
        folders = self.folders(name_or_folder) if folder.name == name_or_folder else {}
        if split in folders:
            return read_evaluation(folders[split])
        if (folder / FILE_NAME).is_file():
            return read_evaluation(folder)
        known = f"; saved are {', '.join(folders)}" if folders else ""
        raise DataError(f"'{name_or_folder}' has no saved evaluation on {split}{known}.")

    def find_file(self, sha256: str, split: str) -> SavedEvaluation | None:
        """Reads the evaluation of this very checkpoint file on a split, whatever its name.

        Raises:
            DataError: It is damaged.
        """
        for file in sorted(self.root.glob(f"*/*/{FILE_NAME}")):
            try:
                metrics = read_metrics(file.parent)
            except DataError:  # as far as anybody can tell, another checkpoint's
                continue
            whose = metrics.checkpoint.sha256, metrics.data.split
            if whose == (sha256, split) and not metrics.neutralized:
                return read_evaluation(file.parent)
        return None

    def _whole(self, name: str, sha256: str | None) -> dict[str, tuple[Path, Metrics]]:
        found: dict[str, tuple[Path, Metrics]] = {}
        for folder, m in self._each(name):  # of several, the first counts, as in `find_file`
            if not m.neutralized and sha256 in (None, m.checkpoint.sha256):
                found.setdefault(m.data.split, (folder, m))
        return {split: found[split] for split in reversed(SPLITS) if split in found}

    def _each(self, name: str) -> list[tuple[Path, Metrics]]:
        files = sorted((self.root / safe_name(name)).glob(f"*/{FILE_NAME}"))
        return [(file.parent, read_metrics(file.parent)) for file in files]


@dataclass(frozen=True)
class Headline:
    """The few figures of a saved evaluation that a list shows; see `metrics.Scores`.

    Attributes:
        n: Rows.
        accuracy: 0..1.
        accuracy_interval_95: Its 95% interval.
        macro_f1: 0..1.
        ece: After temperature scaling.
        accuracy_without_copies: None where no row is left.
        n_without_copies: None where no row is left.
        accuracy_flip_tta: With mirrored faces.
        accuracy_five_crop: Averaged over five crops; None if they weren't measured.
        labels: The label set that is the truth.
    """

    n: int
    accuracy: float
    accuracy_interval_95: tuple[float, float]
    macro_f1: float
    ece: float
    accuracy_without_copies: float | None
    n_without_copies: int | None
    accuracy_flip_tta: float
    accuracy_five_crop: float | None
    labels: str

    @classmethod
    def of(cls, metrics: Metrics, accuracy_five_crop: float | None) -> "Headline":
        """Those of a saved evaluation."""
        scores, clean = metrics.standard, metrics.without_copies
        return cls(
            scores.n,
            scores.accuracy,
            scores.accuracy_interval_95,
            scores.macro_f1,
            scores.ece_calibrated,
            None if clean is None else clean.accuracy,
            None if clean is None else clean.n,
            metrics.tta.standard.accuracy,
            accuracy_five_crop,
            metrics.labels,
        )


@dataclass(frozen=True)
class CheckpointFacts:
    """One checkpoint: description, size, compute and accuracy.

    Attributes:
        name: The checkpoint's.
        description: From its metadata.
        vocabulary: Name of its label set.
        classes: Its classes in the order of the logits.
        labels_seen: Names of the label sets that it was trained on.
        parameters: How many weights it has.
        file_bytes: Size of its file.
        gmac: Billions of multiply-accumulate operations per face.
        sha256: Hex SHA-256 of its file.
        metrics: Headlines of its saved evaluations by split.
    """

    name: str
    description: str
    vocabulary: str
    classes: tuple[str, ...]
    labels_seen: tuple[str, ...]
    parameters: int
    file_bytes: int
    gmac: float
    sha256: str
    metrics: dict[str, Headline]


def describe_checkpoint(
    name: str, path: Path, store: EvaluationStore | None = None
) -> CheckpointFacts:
    """Summarizes a checkpoint and its saved evaluations.

    Args:
        name: The checkpoint's.
        path: Its file.
        store: Where its evaluations are; the shipped ones by default.

    Raises:
        CheckpointError: The checkpoint cannot be read.
        DataError: Metrics or five crops are damaged.
    """
    info = read_info(path)
    digest = file_sha256(path)
    store = store or EvaluationStore()
    folders = store.folders(name, digest)
    parameters, gmac = _weigh(path, digest)
    return CheckpointFacts(
        name=name,
        description=info.description,
        vocabulary=info.config.vocabulary,
        classes=info.config.classes.classes,
        labels_seen=info.labels_seen,
        parameters=parameters,
        file_bytes=path.stat().st_size,
        gmac=gmac,
        sha256=digest,
        metrics={
            split: Headline.of(metrics, five_crop_accuracy(folders[split]))
            for split, metrics in store.metrics(name, digest).items()
        },
    )


def five_crop_accuracy(folder: Path) -> float | None:
    """The accuracy of a saved evaluation over five crops; None if they weren't measured.

    Raises:
        DataError: A file is damaged.
    """
    if not (folder / FIVE_CROP).is_file():
        return None
    saved = read_evaluation(folder)
    return saved.rows(averaging="five-crop").scores.accuracy if saved.five_crop() else None


def describe_shipped() -> list[CheckpointFacts]:
    """All shipped checkpoints, the flagship first."""
    return [describe_checkpoint(name, path) for name, path in shipped_checkpoints().items()]


@lru_cache(maxsize=32)
def _weigh(path: Path, digest: str) -> tuple[int, float]:
    model, _ = load_checkpoint(path)
    return count_parameters(model), count_gmac(model)
